"""The protocols of identity: OAuth tokens, the metadata server, IAM, IAM Credentials, Resource Manager.

Each is an ASGI app that is given its facades; `server` puts them under their hosts. Who may do what is the slices'.
"""

from trigpoint.surfaces.identity.apis import CredentialsApp, IamApp, ResourceManagerApp, prove, resource_manager_rpcs
from trigpoint.surfaces.identity.metadata import MetadataApp
from trigpoint.surfaces.identity.oauth import OAuthApp

__all__ = [
    "CredentialsApp",
    "IamApp",
    "MetadataApp",
    "OAuthApp",
    "ResourceManagerApp",
    "prove",
    "resource_manager_rpcs",
]

"""Cloud Storage on the wire: the JSON API, batch, XML-style objects, signed URLs, one gRPC method.

`GcsApp` is the ASGI app, `rpc_table` the row for the front, `Threads` the pool both work in.
"""

from trigpoint.surfaces.gcs.app import PREFIXES, GcsApp
from trigpoint.surfaces.gcs.asking import Threads
from trigpoint.surfaces.gcs.control import rpc_table
from trigpoint.surfaces.gcs.signed import Signer, Signers

__all__ = ["PREFIXES", "GcsApp", "Signer", "Signers", "Threads", "rpc_table"]

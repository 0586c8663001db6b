"""The environment variables that point Google's clients at the server; who sets them is left to others.

Which library honours which variable was measured: sdk-contract sections 1.3 and 1.5.
"""

from __future__ import annotations

from trigpoint.core.ready import Ready

# Each would send a client elsewhere, or make it anonymous, whatever else is set.
UNSET = (
    "API_ENDPOINT_OVERRIDE",
    "BIGQUERY_EMULATOR_HOST",
    "CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE",
    "GCE_METADATA_HOST",
    "GCE_METADATA_IP",
    "GCE_METADATA_ROOT",
    "GOOGLE_API_CERTIFICATE_CONFIG",
    "GOOGLE_API_USE_CLIENT_CERTIFICATE",
    "GOOGLE_API_USE_MTLS_ENDPOINT",
    "GOOGLE_CLOUD_UNIVERSE_DOMAIN",
    "GOOGLE_VERTEX_BASE_URL",
    "STORAGE_EMULATOR_HOST",
    "all_proxy",
    "ALL_PROXY",
    "no_grpc_proxy",
)
LOCAL = "localhost,127.0.0.1,::1"


def variables(info: Ready, project: str) -> dict[str, str]:
    """Return the variables for a program on this machine that works in a project."""
    proxy = f"http://127.0.0.1:{info.proxy_port}"
    direct = f"https://localhost:{info.port}"
    return {
        # gRPC reads the lower-case names only, and grpc_proxy before the others.
        **dict.fromkeys(("grpc_proxy", "https_proxy", "HTTPS_PROXY"), proxy),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), LOCAL),
        **dict.fromkeys(
            (
                "CURL_CA_BUNDLE",
                "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH",
                "HTTPLIB2_CA_CERTS",
                "REQUESTS_CA_BUNDLE",
                "SSL_CERT_FILE",
            ),
            info.ca_bundle,
        ),
        # gcsfs ignores proxies; these two keep its credentials, unlike STORAGE_EMULATOR_HOST.
        **dict.fromkeys(("FSSPEC_GCS_ENDPOINT_URL", "FSSPEC_GS_ENDPOINT_URL"), direct),
        "GOOGLE_APPLICATION_CREDENTIALS": info.key_file,
        "GOOGLE_CLOUD_PROJECT": project,
    }

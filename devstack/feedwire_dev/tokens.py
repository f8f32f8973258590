"""Makes development tokens: JWTs signed with a shared secret (HS256), and the secret itself."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import secrets
import time

TENANT = "demo"


def new_secret() -> bytes:
    return secrets.token_urlsafe(36).encode()


def write_secret(path: pathlib.Path, secret: bytes) -> None:
    """A file that only its owner can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(secret)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(secret: bytes, header: dict, claims: dict) -> str:
    signed = ".".join(_base64url(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims))
    return f"{signed}.{_base64url(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def make_token(secret: bytes, sub: str, tenant: str = TENANT, scope: str | None = None, expires_s: int = 3600, **claims) -> str:
    """expires_s counts from now, and may be negative. The scope "publish" may post for any actor."""
    claims = {"tenant": tenant, "sub": sub, "exp": int(time.time()) + expires_s, **claims}
    if scope is not None:
        claims["scope"] = scope
    return sign(secret, {"alg": "HS256", "typ": "JWT"}, claims)

#!/usr/bin/env python3
"""Writes schemas/vectors/credentials.json: good, borderline and hostile tokens, sets of keys, and API keys, each with the verdict that is expected.

    tests/make_credential_vectors.py > schemas/vectors/credentials.json

The private keys are made for the run and forgotten after it, so each run writes another file with the same cases. What signs is the openssl
program, and not the code under test. A hostile token is wrong in the one way that its name says, and properly signed otherwise."""

import base64
import hashlib
import hmac
import json
import pathlib
import re
import subprocess
import tempfile

NOW = 1_800_000_000  # what the vectors take for the present; those without a `now` of their own hold at any time from 2024 to 2100
BEFORE, FAR = 1_700_000_000, 4_102_444_800
SECRET = "a secret of the vectors, for nothing else"
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
GOOD = {"tenant": "demo", "sub": "ann", "exp": FAR}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def openssl(*arguments, data: bytes = b"") -> bytes:
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


def der_integers(der: bytes) -> list[int]:
    """Those of a SEQUENCE of INTEGERs with short lengths."""
    numbers, at = [], 2
    while at < len(der):
        length = der[at + 1]
        numbers.append(int.from_bytes(der[at + 2 : at + 2 + length], "big"))
        at += 2 + length
    return numbers


class Key:
    def __init__(self, folder: pathlib.Path, kid: str, alg: str, *options):
        self.kid, self.alg, self.folder = kid, alg, folder
        self.pem = folder / f"{kid}.pem"
        kind = {"RS256": "RSA", "ES256": "EC", "EdDSA": "ED25519"}[alg]
        openssl("genpkey", "-algorithm", kind, *options, "-out", self.pem)
        self.der = openssl("pkey", "-in", self.pem, "-pubout", "-outform", "DER")
        self.public_pem = openssl("pkey", "-in", self.pem, "-pubout")

    @property
    def jwk(self) -> dict:
        common = {"kid": self.kid, "alg": self.alg, "use": "sig"}
        if self.alg == "RS256":
            text = openssl("rsa", "-in", self.pem, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
            exponent = int(re.search(r"publicExponent: (\d+)", openssl("pkey", "-in", self.pem, "-noout", "-text").decode()).group(1))
            return {"kty": "RSA", **common, "n": b64(bytes.fromhex(text)), "e": b64(exponent.to_bytes((exponent.bit_length() + 7) // 8, "big"))}
        if self.alg == "ES256":
            size = (len(self.der) - 27) // 2 if len(self.der) == 91 else 48
            return {"kty": "EC", "crv": "P-256" if size == 32 else "P-384", **common, "x": b64(self.der[-2 * size : -size]), "y": b64(self.der[-size:])}
        return {"kty": "OKP", "crv": "Ed25519", **common, "x": b64(self.der[-32:])}

    def der_signature(self, text: bytes) -> bytes:
        return openssl("dgst", "-sha256", "-sign", self.pem, data=text)

    def sign(self, text: bytes) -> bytes:
        if self.alg == "EdDSA":
            path = self.folder / "message"
            path.write_bytes(text)
            return openssl("pkeyutl", "-sign", "-inkey", self.pem, "-rawin", "-in", path)
        der = self.der_signature(text)
        return der if self.alg == "RS256" else b"".join(number.to_bytes(32, "big") for number in der_integers(der))

    def token(self, claims: object = GOOD, header: object = None, header_also: dict | None = None) -> str:
        header = {"alg": self.alg, "kid": self.kid, **(header_also or {})} if header is None else header
        text = f"{b64(as_json(header))}.{b64(as_json(claims))}"
        return f"{text}.{b64(self.sign(text.encode()))}"


def as_json(value: object) -> bytes:
    return value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()


def mac_token(secret: bytes, header: object, claims: object = GOOD) -> str:
    text = f"{b64(as_json(header))}.{b64(as_json(claims))}"
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def members(claims: str) -> bytes:
    """The good claims with further members, as text, so that they can be what Python would not write."""
    return as_json(GOOD)[:-1] + ("," + claims if claims else "").encode() + b"}"


def without(name: str) -> dict:
    return {member: value for member, value in GOOD.items() if member != name}


class Cases(list):
    def add(self, name: str, token: str, reason: str, **more):
        self.append({"name": name, "token": token, "reason": reason, **more})


def algorithms(cases: Cases, keys: list[Key]) -> None:
    names = ["none", "None", "nOnE", "NONE", "", "HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "ES256K", "EdDSA",
             "Ed25519", "rs256", "es256", "eddsa", "RS256 ", "RS256\0", "RSA-OAEP", "dir", None, 1, ["RS256"], {"alg": "RS256"}]
    for key in keys:
        for alg in names:
            if alg != key.alg:
                cases.add(f"{key.kid}: alg {json.dumps(alg)}", key.token(header={"alg": alg, "kid": key.kid}), "algorithm")
        cases.add(f"{key.kid}: no alg", key.token(header={"kid": key.kid}), "algorithm")
        text = key.token(header={"alg": "none", "kid": key.kid}).rpartition(".")[0]
        cases.add(f"{key.kid}: alg none without a signature", text + ".", "algorithm")
        for form, secret in {"PEM": key.public_pem, "DER": key.der, "JWK": as_json(key.jwk)}.items():
            cases.add(f"{key.kid}: HS256 with the public key as secret, {form}", mac_token(secret, {"alg": "HS256", "kid": key.kid}), "algorithm")
            cases.add(f"{key.kid}: the same without kid, {form}", mac_token(secret, {"alg": "HS256"}), "signature")
    for alg in ("none", "None", "RS256", "ES256", "EdDSA", "HS384"):
        cases.add(f"no kid, alg {alg}", mac_token(SECRET.encode(), {"alg": alg}), "algorithm")


def key_ids(cases: Cases, key: Key, others: list[Key]) -> None:
    for kid in ["../../dev/null", "/etc/passwd", "' OR 1=1 --", "", " ", "rsa-1 ", "RSA-1", "rsa-1\0", "rsa-1\n", "rsa-2", "a" * 128, "a" * 129, "a" * 1000,
                "é", "*", "%s%n", "http://127.0.0.1/jwks", "enc-1", 1, 0, None, True, [], ["rsa-1"], {"kid": "rsa-1"}]:
        cases.add(f"kid {json.dumps(kid)[:40]} ({len(json.dumps(kid))})", key.token(header={"alg": key.alg, "kid": kid}), "key")
    cases.add("HS256 with a kid that is not there", mac_token(SECRET.encode(), {"alg": "HS256", "kid": "dev"}), "key")
    for other in others:
        cases.add(f"kid of {other.kid}, signed by {key.kid}", key.token(header={"alg": key.alg, "kid": other.kid}), "algorithm")
        cases.add(f"kid and alg of {other.kid}, signed by {key.kid}", key.token(header={"alg": other.alg, "kid": other.kid}), "signature")


def headers(cases: Cases, key: Key, foreign: Key) -> None:
    for name, value in {"jwk": foreign.jwk, "jku": "https://attacker.example/jwks", "x5u": "https://attacker.example/x", "x5c": [b64(foreign.der)]}.items():
        cases.add(f"{name} of an attacker, his kid", foreign.token(header={"alg": foreign.alg, "kid": "evil", name: value}), "key")
        cases.add(f"{name} of an attacker, our kid", foreign.token(header={"alg": foreign.alg, "kid": key.kid, name: value}), "signature")
    for crit in (["exp"], [], None, ["b64"], "exp", {}):
        cases.add(f"crit {json.dumps(crit)}", key.token(header_also={"crit": crit, "b64": False}), "malformed")
    for typ in ("dpop+jwt", "secevent+jwt", "logout+jwt", "JWE", "", "JWT\0", "application/", "text/JWT", 1, None, ["JWT"]):
        cases.add(f"typ {json.dumps(typ)}", key.token(header_also={"typ": typ}), "malformed")
    good = as_json({"alg": key.alg, "kid": key.kid}).decode()
    raw = {
        "alg twice": good[:-1] + f',"alg":"{key.alg}"}}', "alg twice, once escaped": good[:-1] + f',"\\u0061lg":"{key.alg}"}}',
        "kid twice": good[:-1] + f',"kid":"{key.kid}"}}', "trailing comma": good[:-1] + ",}", "something behind": good + "x", "a list": f"[{good}]",
        "a text": '"ES256"', "null": "null", "a number": "1", "nothing": "", "blanks": "   ", "single quotes": good.replace('"', "'"),
        "a comment": good[:-1] + "/**/}", "cut": good[:-1], "deep": "[" * 1000, "deep and closed": good[:-1] + ',"x":' + "[" * 500 + "]" * 500 + "},",
        "byte order mark": "\ufeff" + good, "33 members": good[:-1] + "".join(f',"m{i}":1' for i in range(31)) + "}",
    }
    for name, text in raw.items():
        cases.add(f"header: {name}", key.token(header=text.encode()), "malformed")
    cases.add("header: no UTF-8", key.token(header=good[:-1].encode() + b',"x":"\xff"}'), "malformed")
    cases.add("header: half a surrogate", key.token(header=(good[:-1] + ',"x":"\\ud800"}').encode()), "malformed")


def forms(cases: Cases, key: Key) -> None:
    good = key.token()
    header, payload, signature = good.split(".")
    plain = {
        "one part": header, "two parts": f"{header}.{payload}", "four parts": good + ".x", "five parts, as a JWE": ".".join([header, "", payload, "", signature]),
        "only dots": "..", "a dot": ".", "a dot before": "." + good, "a dot behind": good + ".", "no header": f".{payload}.{signature}",
        "padding in the header": f"{header}==.{payload}.{signature}", "a blank in the header": f"{header[:4]} {header[4:]}.{payload}.{signature}",
        "plus and slash in the header": f"+/{header[2:]}.{payload}.{signature}", "bits left over in the header": f"{b64(b'{}')[:-1]}1.{payload}.{signature}",
        "a single digit as header": f"A.{payload}.{signature}", "the word null": "null", "the word undefined": "undefined", "JSON": '{"alg":"none"}',
        "a user and a password": "YW5uOnNlY3JldA==", "two tokens": f"{good},{good}", "quoted": f'"{good}"',
    }
    for name, token in plain.items():
        cases.add(f"form: {name}", token, "malformed")
    for name, token in {
        "padding in the payload": f"{header}.{payload}=.{signature}", "a blank in the payload": f"{header}.{payload[:4]} {payload[4:]}.{signature}",
        "no payload": f"{header}..{signature}", "payload and signature exchanged": f"{header}.{signature}.{payload}", "bearer twice": "Bearer " + good,
    }.items():
        cases.add(f"form: {name}", token, "malformed" if name == "bearer twice" else "signature")
    for name, text in {"padding in the payload, signed": payload + "=", "blanks in the payload, signed": payload + " ", "plus in the payload, signed": "+/" + payload[2:]}.items():
        text = f"{header}.{text}"
        cases.add(f"form: {name}", f"{text}.{b64(key.sign(text.encode()))}", "malformed")
    cases.add("larger than a token may be", key.token(members(f'"x":"{"x" * 4096}"')), "malformed")
    cases.add("larger, no token at all", "A" * 5000, "malformed")
    cases.add("larger, only dots", "." * 4097, "malformed")


def signatures(cases: Cases, key: Key, foreign: Key) -> None:
    text, _, encoded = key.token().rpartition(".")
    signature = unb64(encoded)
    flipped = [bytes([*signature[:i], signature[i] ^ 1, *signature[i + 1 :]]) for i in (0, len(signature) // 2, len(signature) - 1)]
    other = {
        "none": b"", "one byte": b"\0", "first byte flipped": flipped[0], "middle byte flipped": flipped[1], "last byte flipped": flipped[2],
        "cut by one": signature[:-1], "one more": signature + b"\0", "zero before": b"\0" + signature, "zeros": bytes(len(signature)),
        "ones": b"\xff" * len(signature), "of other claims": unb64(key.token({**GOOD, "sub": "bob"}).rpartition(".")[2]),
        "of an attacker": foreign.sign(text.encode()), "HMAC": hmac.new(key.public_pem, text.encode(), hashlib.sha256).digest(),
        "far too long": b"\1" * 600,
    }
    if key.alg == "ES256":
        r, s = signature[:32], signature[32:]
        zero, order = bytes(32), P256_ORDER.to_bytes(32, "big")
        other |= {"DER": key.der_signature(text.encode()), "r zero": zero + s, "s zero": r + zero, "r the order": order + s, "s the order": r + order,
                  "exchanged": s + r, "r only": r}
    if key.alg == "EdDSA":
        s = int.from_bytes(signature[32:], "little") + ED25519_ORDER
        other |= {"s beyond the order": signature[:32] + s.to_bytes(32, "little"), "R only": signature[:32]}
    if key.alg == "RS256":
        modulus = unb64(key.jwk["n"])
        number = int.from_bytes(modulus, "big")
        pss = openssl("dgst", "-sha256", "-sigopt", "rsa_padding_mode:pss", "-sign", key.pem, data=text.encode())
        other |= {"SHA-1": openssl("dgst", "-sha1", "-sign", key.pem, data=text.encode()), "PSS": pss, "the modulus": modulus,
                  "the modulus less one": (number - 1).to_bytes(len(modulus), "big"), "one": (1).to_bytes(len(modulus), "big"),
                  "SHA-512": openssl("dgst", "-sha512", "-sign", key.pem, data=text.encode())}
    for name, value in other.items():
        cases.add(f"{key.kid}: signature: {name}", f"{text}.{b64(value)}", "signature")
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    cases.add(f"{key.kid}: signature: bits left over", f"{text}.{encoded[:-1]}{digits[digits.index(encoded[-1]) + 1]}", "signature")
    cases.add(f"{key.kid}: signature: padding", f"{text}.{encoded}==", "signature")
    cases.add(f"{key.kid}: signature: a blank", f"{text}.{encoded[:8]} {encoded[8:]}", "signature")


def claims(cases: Cases, key: Key) -> None:
    for name, times in {"exp": ["", str(FAR), None, -1, 1e300, 2**63, 2**64 - 1, True, [FAR], {"exp": FAR}, "2100-01-01T00:00:00Z", 253402300800]}.items():
        for value in times:
            cases.add(f"{name} {json.dumps(value)}", key.token({**GOOD, name: value}), "claims")
    for name in GOOD:
        cases.add(f"no {name}", key.token(without(name)), "claims")
    cases.add("exp NaN", key.token(members("").replace(str(FAR).encode(), b"NaN")), "malformed")
    cases.add("exp 1e400", key.token(members("").replace(str(FAR).encode(), b"1e400")), "malformed")
    cases.add("expired", key.token({**GOOD, "exp": BEFORE}), "expired")
    cases.add("expired at the epoch", key.token({**GOOD, "exp": 0}), "expired")
    cases.add("nbf in the future", key.token({**GOOD, "nbf": FAR}), "not_yet")
    cases.add("iat in the future", key.token({**GOOD, "iat": FAR}), "not_yet")
    for name in ("nbf", "iat"):
        for value in ("1", None, -1, True, [1], 1e300):
            cases.add(f"{name} {json.dumps(value)}", key.token({**GOOD, name: value}), "claims")
    for value in (7, None, "", " ", "ann/bob", "an n", "ann\0", "ann\n", "{ann}", "ann}", "*", "\u0430nn", "é", "a" * 129, ["ann"], {"sub": "ann"}, True, "../ann", "%61nn"):
        cases.add(f"sub {json.dumps(value)[:30]}", key.token({**GOOD, "sub": value}), "claims")
    for value in (7, None, "", "Demo", "de mo", "demo/x", "demo\0", "demo\n", "{demo}", "d" * 33, "d\u0435mo", "demo_", "*", ["demo"], {"tenant": "demo"}, False):
        cases.add(f"tenant {json.dumps(value)[:30]}", key.token({**GOOD, "tenant": value}), "claims")
    for value in (["publish"], 1, None, {"publish": True}, True):
        cases.add(f"scope {json.dumps(value)}", key.token({**GOOD, "scope": value}), "claims")
    for value in ("home", 1, None, [1], ["home", None], {"home": True}):
        cases.add(f"feeds {json.dumps(value)}", key.token({**GOOD, "feeds": value}), "claims")
    for value in ("feedwire", ["feedwire"], [], "", None, 1):
        cases.add(f"aud {json.dumps(value)}, though none is expected", key.token({**GOOD, "aud": value}), "audience")
    for name, more in {"sub": '"sub":"bob"', "sub, escaped": '"\\u0073ub":"bob"', "tenant": '"tenant":"other"', "exp": f'"exp":{FAR}', "an unknown one": '"x":1,"x":1'}.items():
        cases.add(f"claims: {name} twice", key.token(members(more)), "malformed")
    good = as_json(GOOD)
    for name, payload in {"a list": b"[" + good + b"]", "a text": b'"ann"', "null": b"null", "nothing": b"", "cut": good[:-1], "trailing comma": good[:-1] + b",}",
                          "something behind": good + b"{}", "no UTF-8": members('"x":"\u00e9"').replace(b"\xc3\xa9", b"\xff"), "a NUL behind": good + b"\0",
                          "deep": b"[" * 2000, "33 members": members(",".join(f'"m{i}":1' for i in range(30)))}.items():
        cases.add(f"claims: {name}", key.token(payload), "malformed")


def valid(keys: list[Key]) -> list[dict]:
    out = []

    def add(name, token, **rights):
        out.append({"name": name, "token": token, "publish": False, "post": True, "read": True, **rights})

    for key in keys:
        add(f"{key.kid}", key.token())
        add(f"{key.kid}: typ JWT", key.token(header_also={"typ": "JWT"}))
    add("HS256", mac_token(SECRET.encode(), {"alg": "HS256", "typ": "JWT"}))
    key = keys[1]
    add("typ at+jwt", key.token(header_also={"typ": "at+JWT"}))
    add("typ with application/", key.token(header_also={"typ": "application/at+jwt"}))
    add("header members that do not count", key.token(header_also={"jku": "https://issuer.example/jwks", "x5t": "x", "cty": "JWT"}))
    add("blanks in the JSON", key.token(b' {"tenant" : "demo",\n"sub":"ann","exp":' + str(FAR).encode() + b"} "))
    add("exp with a fraction", key.token({**GOOD, "exp": FAR + 0.5}))
    add("nbf and iat", key.token({**GOOD, "nbf": BEFORE, "iat": BEFORE}))
    add("unknown claims, iss", key.token({**GOOD, "iss": "https://issuer.example", "x": {"y": [1, None]}, "jti": "1"}))
    add("a name of 128 characters", key.token({**GOOD, "sub": "a" * 128}))
    for scope, rights in {"": {}, "openid profile": {}, "publisher Publish": {}, "publish": {"publish": True, "read": False}, "read": {"post": False},
                          "read  publish": {"publish": True}, "admin": {"post": False, "read": False}, "openid read": {"post": False}}.items():
        add(f"scope {scope!r}", key.token({**GOOD, "scope": scope}), **rights)
    return out


def borderline(key: Key) -> list[dict]:
    cases = Cases()
    times = {"exp": (key.token({**GOOD, "exp": NOW}), {-1: "ok", 0: "ok", 59: "ok", 60: "expired", 61: "expired"}),
             "exp with a fraction": (key.token({**GOOD, "exp": NOW + 0.9}), {59: "ok", 60: "expired"}),
             "nbf": (key.token({**GOOD, "nbf": NOW}), {-61: "not_yet", -60: "ok", 0: "ok"}),
             "iat": (key.token({**GOOD, "iat": NOW}), {-61: "not_yet", -60: "ok"})}
    for name, (token, verdicts) in times.items():
        for offset, verdict in verdicts.items():
            cases.add(f"{name} at {offset:+d} s", token, verdict, now=NOW + offset)
    return cases


def expectations(key: Key) -> list[dict]:
    cases = Cases()
    issuer, audience = "https://issuer.example/", "feedwire"

    def add(name, claims, reason, **rules):
        cases.add(name, key.token({**GOOD, **claims}), reason, **rules)

    add("the issuer", {"iss": issuer}, "ok", issuer=issuer)
    for value in (issuer[:-1], issuer.upper(), issuer + "x", "", [issuer], None, 1):
        add(f"iss {json.dumps(value)}", {"iss": value}, "issuer", issuer=issuer)
    add("no iss", {}, "issuer", issuer=issuer)
    for value in (audience, [audience], ["other", audience]):
        add(f"aud {json.dumps(value)}", {"aud": value}, "ok", audience=audience)
    for value in ("other", "Feedwire", "feedwire ", "", [], ["other"], [1, audience], [[audience]], {audience: 1}, None, 1):
        add(f"aud {json.dumps(value)}", {"aud": value}, "audience", audience=audience)
    add("no aud", {}, "audience", audience=audience)
    add("both", {"iss": issuer, "aud": audience}, "ok", issuer=issuer, audience=audience)
    return cases


def key_sets(folder: pathlib.Path, keys: list[Key]) -> list[dict]:
    rsa, es, ed = (key.jwk for key in keys[:3])
    weak = Key(folder, "weak", "RS256", "-pkeyopt", "rsa_keygen_bits:1024").jwk
    cubed = Key(folder, "cubed", "RS256", "-pkeyopt", "rsa_keygen_bits:2048", "-pkeyopt", "rsa_keygen_pubexp:3").jwk
    p384 = Key(folder, "p384", "ES256", "-pkeyopt", "ec_paramgen_curve:P-384").jwk
    small_factors = b64(b"\xff" * 256)
    even = b64(b"\xff" * 255 + b"\xfe")
    out = []

    def add(name, value, usable=None, left_out=0, problem=None):
        text = value if isinstance(value, str) else json.dumps(value)
        out.append({"name": name, "text": text, **({"problem": problem} if problem else {"usable": usable, "left_out": left_out})})

    def one(name, jwk, problem):
        add(name, {"keys": [ed, jwk]}, problem=problem)

    add("three kinds", {"keys": [rsa, es, ed]}, 3)
    add("without alg and use", {"keys": [{name: value for name, value in es.items() if name not in ("alg", "use")}]}, 1)
    add("key_ops verify", {"keys": [{**es, "key_ops": ["sign", "verify"]}]}, 1)
    add("keys for something else", {"keys": [es, {**rsa, "use": "enc"}, {**rsa, "alg": "PS256"}, {**rsa, "alg": "RSA-OAEP"}, {**ed, "key_ops": ["sign"]}, p384,
                                             {"kty": "OKP", "crv": "X25519", "x": ed["x"]}, {"kty": "AKP", "pub": "x"}]}, 1, 7)
    add("members that do not count", {"keys": [{**rsa, "x5c": ["x"], "x5t": "x", "issuer": 1}], "more": 1}, 1)
    add("only keys for something else", {"keys": [{**rsa, "use": "enc"}]}, problem="no key for")
    add("empty", {"keys": []}, problem="no key for")
    for name, value in {"not JSON": "{", "nothing": "", "a list": "[]", "no keys": "{}", "keys no list": '{"keys":{}}', "a certificate": "-----BEGIN CERTIFICATE-----"}.items():
        add(name, value, problem="list `keys`")
    add("65 keys", {"keys": [{**es, "kid": f"k{i}"} for i in range(65)]}, problem="more than 64")
    add("64 keys", {"keys": [{**es, "kid": f"k{i}"} for i in range(64)]}, 64)
    one("1024 bits", weak, "2048 bits")
    one("exponent 3", cubed, "exponent")
    one("exponent 1", {**rsa, "kid": "k", "e": "AQ"}, "exponent")
    one("exponent even", {**rsa, "kid": "k", "e": b64(b"\1\0\0")}, "exponent")
    one("exponent of five bytes", {**rsa, "kid": "k", "e": b64(b"\1\0\0\0\1")}, "exponent")
    one("modulus even", {**rsa, "kid": "k", "n": even}, "no RSA key")
    one("modulus with small factors", {**rsa, "kid": "k", "n": small_factors}, "no RSA key")
    one("8192 bits", {**rsa, "kid": "k", "n": b64(b"\xff" * 1024)}, "4096 bits")
    one("4104 bits", {**rsa, "kid": "k", "n": b64(b"\xff" * 513)}, "4096 bits")
    one("n missing", {name: value for name, value in rsa.items() if name != "n"}, "n and e")
    one("n padded", {**rsa, "n": rsa["n"] + "="}, "n and e")
    one("n a number", {**rsa, "n": 1}, "n and e")
    one("off the curve", {**es, "y": b64(bytes(31) + b"\1")}, "curve")
    one("at infinity", {**es, "x": b64(bytes(32)), "y": b64(bytes(32))}, "curve")
    one("x too short", {**es, "x": b64(bytes(31))}, "32 bytes")
    one("y missing", {name: value for name, value in es.items() if name != "y"}, "base64url")
    one("Ed25519 too long", {**ed, "kid": "k", "x": b64(bytes(33))}, "32 bytes")
    one("Ed25519 zero", {**ed, "kid": "k", "x": b64(bytes(32))}, "zero")
    one("the same kid", {**es, "kid": ed["kid"]}, "same kid")
    for kid in (None, "", 1, "a b", "a" * 129, "a\0"):
        one(f"kid {json.dumps(kid)[:20]}", {**es, "kid": kid}, "kid must be")
    one("no kid", {name: value for name, value in es.items() if name != "kid"}, "kid must be")
    one("a private key", {**es, "d": b64(bytes(32))}, "secret or private")
    one("a secret", {"kty": "oct", "kid": "k", "k": b64(bytes(32))}, "secret or private")
    one("no kty", {"kid": "k"}, "object with kty")
    one("a text", "x", "object with kty")
    return out


def api_keys() -> dict:
    def key(number: int) -> str:
        return f"fwk_{number:016x}_{b64(hashlib.sha256(b'vector %d' % number).digest())}"

    def line(number: int, rest: str) -> str:
        return f"id={number:016x} sha256={hashlib.sha256(key(number).encode()).hexdigest()} {rest}"

    base = "tenant=demo sub=service:shop"
    good = line(1, f"{base} scope=publish")
    file = "\n".join(["# API keys of the vectors", "", good, line(2, f"{base} scope=publish,read expires=2100-01-01T00:00:00Z"), "  " + line(3, "tenant=demo sub=ann scope=read") + "\r",
                      line(4, f"{base} scope=publish expires=2020-01-01T00:00:00Z"), line(5, f"{base} scope=admin"), ""])
    first = key(1)
    swapped = first.swapcase()
    hostile = [{"name": name, "token": token, "reason": reason} for name, token, reason in [
        ("unknown id", key(9), "key"), ("secret of another", first[:21] + key(2)[21:], "key"), ("id of another", key(2)[:21] + first[21:], "key"),
        ("last character changed", first[:-1] + ("A" if first[-1] != "A" else "E"), "key"), ("expired", key(4), "expired"), ("only the prefix", "fwk_", "malformed"),
        ("no secret", first[:21], "malformed"), ("cut", first[:-1], "malformed"), ("one more", first + "A", "malformed"), ("padding", first[:-1] + "=", "malformed"),
        ("id in capitals", "fwk_" + "A" * 16 + first[20:], "malformed"), ("no digits as id", "fwk_" + "g" * 16 + first[20:], "malformed"),
        ("a dot for the line", first.replace("_", ".", 2).replace(".", "_", 1), "malformed"), ("the digest", good.split("sha256=")[1][:64], "malformed"),
        ("the digest as secret", first[:21] + good.split("sha256=")[1][:42] + "A", "key"), ("capitals and small letters exchanged", swapped, "malformed"),
        ("bits left over", first[:-1] + chr(ord(first[-1]) + 1), "malformed"), ("huge", "fwk_" + "a" * 4000, "malformed"), ("a token", "fwk_a.b.c", "malformed")]]
    files = [{"name": name, "text": text, **({"problem": problem} if problem else {"count": count})} for name, text, count, problem in [
        ("empty", "", 0, None), ("comments", "# a\n\n  # b\n", 0, None), ("no newline at the end", good, 1, None), ("tabs", good.replace(" ", "\t"), 1, None),
        ("twice", f"{good}\n{good}\n", 0, "the id"), ("the key itself", first, 0, "line 1"), ("sha256 of the key for the key", good.replace(good.split("sha256=")[1][:64], first), 0, "64 hexadecimal"),
        ("no scope", good.replace(" scope=publish", ""), 0, "needs id"), ("empty scope", good.replace("scope=publish", "scope="), 0, "scope must be"),
        ("unknown scope", good.replace("publish", "publisher"), 0, "scope must be"), ("half a scope", good.replace("publish", "publish,"), 0, "scope must be"),
        ("bad tenant", good.replace("demo", "Demo"), 0, "tenant must be"), ("bad sub", good.replace("service:shop", "a/b"), 0, "sub must be"),
        ("a field twice", good + " tenant=other", 0, "twice"), ("unknown field", good + " name=x", 0, "fields"), ("no equals sign", good + " x", 0, "fields"),
        ("bad time", good + " expires=tomorrow", 0, "expires must be"), ("short id", good.replace("id=0000", "id=00"), 0, "16 hexadecimal"),
        ("the second line", f"{good}\nx=1\n", 0, "line 2"), ("a long line", good + " " * 1100, 0, "1024 bytes")]]
    return {"file": file, "hostile": hostile, "files": files, "valid": [
        {"name": "publish", "token": first, "subject": "service:shop", "credential": f"{1:016x}", "publish": True, "post": True, "read": False},
        {"name": "publish and read", "token": key(2), "subject": "service:shop", "credential": f"{2:016x}", "publish": True, "post": True, "read": True},
        {"name": "read", "token": key(3), "subject": "ann", "credential": f"{3:016x}", "publish": False, "post": False, "read": True},
        {"name": "admin", "token": key(5), "subject": "service:shop", "credential": f"{5:016x}", "publish": False, "post": False, "read": False}]}


def make(folder: pathlib.Path) -> dict:
    rsa = Key(folder, "rsa-1", "RS256", "-pkeyopt", "rsa_keygen_bits:2048")
    es, es2 = (Key(folder, kid, "ES256", "-pkeyopt", "ec_paramgen_curve:P-256") for kid in ("es-1", "es-2"))
    ed = Key(folder, "ed-1", "EdDSA")
    keys = [rsa, es, ed]
    foreign = {key.alg: Key(folder, f"foreign-{key.alg}", key.alg, *(["-pkeyopt", "ec_paramgen_curve:P-256"] if key is es else [])) for key in keys}
    cases = Cases()
    algorithms(cases, keys)
    key_ids(cases, rsa, [es, ed])
    headers(cases, es, foreign["ES256"])
    forms(cases, es)
    for key in keys:
        signatures(cases, key, foreign[key.alg])
    claims(cases, ed)
    names = [case["name"] for case in cases]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    return {
        "about": "Credentials and their verdicts; written by tests/make_credential_vectors.py. `reason` is the word with which a credential is refused, or ok.",
        "now": NOW, "hs256_secret": SECRET, "jwks": {"keys": [key.jwk for key in keys] + [{**rsa.jwk, "kid": "enc-1", "use": "enc"}]},
        "valid": valid(keys), "hostile": cases, "borderline": borderline(ed), "expectations": expectations(ed), "key_sets": key_sets(folder, keys),
        "rotation": {"old": es.jwk, "new": es2.jwk, "old_token": es.token({**GOOD, "scope": "publish read"}), "new_token": es2.token({**GOOD, "scope": "publish read"})},
        "api_keys": api_keys(),
    }


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(make(pathlib.Path(name)), indent=1))

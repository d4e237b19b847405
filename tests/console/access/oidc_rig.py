"""A small identity provider: it says of everybody what the test wants, signed by a key of its own."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs


class Provider:
    def __init__(self):
        from joserfc.jwk import RSAKey

        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig"})
        self.claims, self.forms, self.signs_with, self.token_headers = {}, [], None, []
        self.is_away = False
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                url = provider.url
                if self.path == "/jwks":
                    self.reply({"keys": [provider.key.as_dict(private=False)]})
                    return
                self.reply(
                    {
                        "issuer": url,
                        "authorization_endpoint": f"{url}/authorize",
                        "token_endpoint": f"{url}/token",
                        "jwks_uri": f"{url}/jwks",
                    }
                )

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"])).decode()
                provider.forms.append({name: values[0] for name, values in parse_qs(body).items()})
                provider.token_headers.append(self.headers.get("authorization", ""))
                self.reply({"id_token": provider.token(), "access_token": "x", "token_type": "Bearer"})

            def reply(self, document):
                body = json.dumps(document).encode()
                self.send_response(503 if provider.is_away else 200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *words):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def token(self):
        from joserfc import jwt

        now = int(time.time())
        own = {"iss": self.url, "aud": "console", "sub": "1", "iat": now, "exp": now + 60}
        return jwt.encode({"alg": "RS256", "kid": "k1"}, own | self.claims, self.signs_with or self.key)

    def close(self):
        self.server.shutdown()
        self.server.server_close()

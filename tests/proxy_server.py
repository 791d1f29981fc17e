"""A real HTTP proxy on this machine that remembers what it was asked to fetch."""

from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from tests.local_server import LocalServer, QuietHandler


class _AsItIs(HTTPRedirectHandler):
    """Passes a redirect on to whoever asked, as a proxy does."""

    def redirect_request(self, *arguments: object) -> None:  # type: ignore[override]
        return None


class ProxyServer(LocalServer):
    """``with ProxyServer() as proxy: proxy.address``; ``proxy.asked`` are the addresses it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked
        direct = build_opener(ProxyHandler({}), _AsItIs)

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                passed = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "proxy")}
                try:
                    answer = direct.open(Request(self.path, headers=passed, method=self.command), timeout=30)
                except HTTPError as error:  # and redirects
                    answer = error
                with answer:
                    body = b"" if self.command == "HEAD" else answer.read()
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        if name.lower() not in ("transfer-encoding", "connection"):
                            self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)

            do_HEAD = do_GET

        super().__init__(Handler)

"""A real HTTP proxy on this machine that remembers what it was asked to fetch."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener


class _AsItIs(HTTPRedirectHandler):
    """Passes a redirect on to whoever asked, as a proxy does."""

    def redirect_request(self, *arguments: object) -> None:  # type: ignore[override]
        return None


class ProxyServer:
    """``with ProxyServer() as proxy: proxy.url``; ``proxy.asked`` are the addresses it was asked for."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked
        direct = build_opener(ProxyHandler({}), _AsItIs)

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

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

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "ProxyServer":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

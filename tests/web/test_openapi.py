"""The table of operations is what the server answers."""

from starlette.routing import Route

from nst_video.web.films_api import FilmApi
from nst_video.web.live_api import LiveApi
from nst_video.web.openapi import OPERATIONS, document, markdown
from nst_video.web.styles_api import StyleApi


def test_every_operation_is_answered_and_every_answer_is_documented(page) -> None:
    documented = {(each.method, each.path) for each in OPERATIONS}
    answered = {("GET", "/api/server"), ("GET", "/api/openapi.json")}
    for api in (StyleApi, FilmApi, LiveApi):
        for route in api.routes(api.__new__(api)):
            assert isinstance(route, Route)
            methods = (route.methods or set()) - {"HEAD"}
            answered |= {(method, route.path.replace(":path", "")) for method in methods}
    assert documented == answered
    assert page.get("/api/openapi.json").json == document()


def test_the_document_has_every_parameter_of_a_path() -> None:
    for path, operations in document()["paths"].items():  # type: ignore[attr-defined]
        for operation in operations.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert all(f"{{{name}}}" in path for name in named)
            assert path.count("{") == len(named)
            assert "default" in operation["responses"]


def test_the_table_has_a_row_for_each_operation() -> None:
    rows = markdown().splitlines()[2:]
    assert len(rows) == len(OPERATIONS)
    assert all(row.count("|") == 5 for row in rows)

from console.rig import HOST
from modicum.console.access.viewer import local_viewer
from modicum.console.pages import PAGES
from modicum.console.rendering import Renderer


def test_a_text_that_is_shared_gets_each_viewers_own_token():
    renderer = Renderer(PAGES)
    text = renderer.text(["no-such.html", "link.html"], local_viewer(), link="<x>")

    assert 'value="mine"' in renderer.with_token(text, "mine")
    assert renderer.with_token(text, "mine") == renderer.with_token(text, "yours").replace("yours", "mine")
    assert "&lt;x&gt;" in text


def test_replies_are_kept_by_nobody_or_tagged(site):
    tagged, fault = site.get("/overview"), site.get("/nothing")

    assert tagged.headers["cache-control"] == "no-cache, private"
    assert fault.headers["cache-control"] == "no-store"
    assert site.get("/overview", host=HOST, if_none_match=tagged.headers["etag"]).status == 304


def test_every_window_has_a_title_of_its_own(site):
    titles = [site.get(path).text.split("<title>")[1].split("</title>")[0] for path in ("/overview", "/users")]

    assert titles == ["Overview - modicum", "Users - modicum"]

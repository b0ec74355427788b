from sandbox.demo.browser import Page

HTML = """
<form><input type="hidden" name="csrfmiddlewaretoken" value="abc"><input name="email"></form>
<p>Your key <code id="key">rsolv_1</code> &amp; more</p>
<table><tr><th>Total</th></tr>
<tr><td data-label="Total"><span>$15</span>.00 </td><td data-label="Fixes">1</td></tr>
<tr><td data-label="Total">$7.00</td></tr></table>
<a href="/pull/2">2</a>
"""


class TestPage:
    def test_reads_what_a_person_reads(self) -> None:
        page = Page(url="http://x/", status=200, html=HTML)
        assert page.fields == {"csrfmiddlewaretoken": "abc", "email": ""}
        assert page.by_id == {"key": "rsolv_1"}
        assert page.rows == [{}, {"Total": "$15.00", "Fixes": "1"}, {"Total": "$7.00"}]
        assert page.links == ["/pull/2"]
        assert "Your key rsolv_1 & more" in page.text

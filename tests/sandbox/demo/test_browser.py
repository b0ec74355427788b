from sandbox.demo.browser import Page

HTML = """
<form><input type="hidden" name="csrfmiddlewaretoken" value="abc"><input name="email"></form>
<p>Your key <code id="key">rsolv_1</code> &amp; more</p>
<table><thead><tr><th>Number</th><th>Total</th></tr></thead>
<tbody><tr><th scope="row">A-1</th><td><span>$15</span>.00 </td></tr>
<tr><th scope="row">A-2</th><td>$7.00</td></tr></tbody></table>
<a href="/pull/2">2</a>
"""


class TestPage:
    def test_reads_fields_ids_rows_links_and_text(self) -> None:
        page = Page(url="http://x/", status=200, html=HTML)
        assert page.fields == {"csrfmiddlewaretoken": "abc", "email": ""}
        assert page.by_id == {"key": "rsolv_1"}
        assert page.rows == [{"Number": "A-1", "Total": "$15.00"}, {"Number": "A-2", "Total": "$7.00"}]
        assert page.links == ["/pull/2"]
        assert "Your key rsolv_1 & more" in page.text

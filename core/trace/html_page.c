/*
 * html_page.c - see html_page.h.
 */
#include "html_page.h"

#include "chart_canvas.h"

static const char style[] =
	"body{font:15px/1.5 'DejaVu Sans',Verdana,Arial,sans-serif;color:#20242b;"
	"max-width:900px;margin:2em auto;padding:0 1em}\n"
	"h1{font-size:1.4em;margin:0 0 .3em}h2{font-size:1.1em;margin:2em 0 .2em}\n"
	"p{margin:.3em 0}.faint,figcaption{color:#555b64;font-size:.87em}\n"
	".note{border-left:3px solid #d55e00;padding-left:.6em;font-size:.9em}\n"
	"figure{margin:0}svg{width:100%;height:auto;display:block}\n"
	".wide{overflow-x:auto}table{border-collapse:collapse;font-size:.82em;margin:.6em 0;"
	"font-variant-numeric:tabular-nums}\n"
	"th,td{padding:.15em .55em;text-align:right;white-space:nowrap}"
	"th{color:#555b64;font-weight:normal;vertical-align:bottom;"
	"border-bottom:1px solid #555b64}\n"
	"td.name,th.name{text-align:left;padding:.15em 1.2em .15em "
	"0}td.text{text-align:left;white-space:normal}"
	"tr.gap td{padding-top:.9em}\n"
	"td.best{font-weight:bold}.key{display:inline-block;width:.8em;height:.8em;"
	"border:1px solid #555b64;vertical-align:-.05em;margin-right:.35em;"
	"print-color-adjust:exact;-webkit-print-color-adjust:exact}\n"
	"code{font-size:.87em;overflow-wrap:anywhere}\n"
	"@page{margin:16mm 14mm}\n"
	"@media print{body{font-size:10pt;max-width:none;margin:0;padding:0}"
	"table{font-size:7.4pt}th,td{padding:.12em .4em}h2{break-after:avoid;margin-top:1.2em}"
	"section,tr{break-inside:avoid}section.long{break-inside:auto}.wide{overflow:visible}}\n";

void quire_html_begin(FILE *out, const char *what)
{
	fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
	      "<meta charset=\"utf-8\"/>\n<title>quire: ",
	      out);
	quire_text_xml(out, what);
	fprintf(out, "</title>\n<style>\n%s</style>\n</head>\n<body>\n", style);
}

void quire_html_end(FILE *out)
{
	fputs("</body>\n</html>\n", out);
}

int quire_html_figure(FILE *out, const struct quire_figure *f)
{
	int rc;

	fputs("<section>\n<h2>", out);
	quire_text_xml(out, f->title);
	if (*f->subtitle && f->charts_count > 1) {
		fputs(" <span class=\"faint\">", out);
		quire_text_xml(out, f->subtitle);
		fputs("</span>", out);
	}
	fputs("</h2>\n<figure>\n", out);
	rc = quire_figure_write(f, out, QUIRE_SVG, false);
	fputs("<figcaption>", out);
	quire_text_xml(out, f->caption);
	fputs("</figcaption>\n</figure>\n</section>\n", out);
	return rc;
}

void quire_html_element(FILE *out, const char *element, const char *class, const char *text)
{
	fprintf(out, *class ? "<%s class=\"%s\">" : "<%s>", element, class);
	quire_text_xml(out, text);
	fprintf(out, "</%s>", element);
}

void quire_html_key(FILE *out, uint32_t colour)
{
	fprintf(out, "<span class=\"key\" style=\"background:#%06x\"></span>",
		(unsigned int)colour);
}

void quire_html_command(FILE *out, const char *command)
{
	fputs("<p class=\"faint\">Made by quire " QUIRE_VERSION " with</p>\n<p><code>", out);
	quire_text_xml(out, command);
	fputs("</code></p>\n", out);
}

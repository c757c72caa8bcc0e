#include "cli/report_page.h"

#include "base/html.h"
#include "cli/report_columns.h"

#include <stdlib.h>
#include <string.h>

/* Pictures have black, greys and the palette as attributes; the rules here override them. */
static const char styles[] =
    ":root{color-scheme:light dark;--ink:#16181d;--paper:#fff;--soft:#5b6270;--line:#d8d8d8;"
    "--card:#f6f7f9;--blue:#0072b2;--grey:#7f7f7f;--shade:rgb(0 0 0/.25)}\n"
    "@media (prefers-color-scheme:dark){:root{--ink:#e8eaee;--paper:#14161a;--soft:#a0a7b4;"
    "--line:#3a3f48;--card:#1c1f25;--blue:#3d9fe0;--grey:#9a9a9a;--shade:rgb(255 255 255/.3)}}\n"
    "@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--soft:#444;--line:#ccc;"
    "--card:#fff;--blue:#0072b2;--grey:#7f7f7f}\n"
    "body{max-width:none;padding:0}section+section{break-before:page}}\n"
    "body{font:15px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;color:var(--ink);"
    "background:var(--paper);max-width:72rem;margin:0 auto;padding:1.5rem}\n"
    "h1{font-size:1.7rem;margin:0 0 .3rem}h2{font-size:1.3rem;margin:2.5rem 0 .6rem;"
    "border-bottom:1px solid var(--line);padding-bottom:.3rem;overflow-wrap:anywhere}\n"
    "h2 small{font-weight:normal;color:var(--soft);display:block;font-size:.8rem;"
    "text-transform:uppercase;letter-spacing:.06em}\n"
    "p{color:var(--soft)}\n"
    "dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1rem;font-size:.85rem}\n"
    "dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere;white-space:pre-line}\n"
    /* Shades at the edges where a table or a panel goes on. */
    ".scroll{--under:var(--paper);overflow-x:auto;margin:1rem 0;background:"
    "linear-gradient(to right,var(--under) 30%,transparent) left/2.5rem 100% no-repeat local,"
    "linear-gradient(to left,var(--under) 30%,transparent) right/2.5rem 100% no-repeat local,"
    "linear-gradient(to right,var(--shade),transparent) left/1rem 100% no-repeat scroll,"
    "linear-gradient(to left,var(--shade),transparent) right/1rem 100% no-repeat scroll}\n"
    "table{border-collapse:collapse;font-size:.82rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.25rem .6rem;border-bottom:1px solid var(--line);text-align:left;"
    "white-space:nowrap}\n"
    "details{font-size:.85rem;margin:-.6rem 0 1rem}summary{color:var(--soft);cursor:pointer}\n"
    "th{color:var(--soft);font-weight:600}.number{text-align:right}\n"
    "figure{margin:1.2rem 0;padding:.8rem;background:var(--card);border:1px solid var(--line);"
    "border-radius:.5rem;break-inside:avoid}\n"
    "figcaption{font-size:.85rem;color:var(--soft);margin-bottom:.6rem}"
    "figcaption strong{color:var(--ink)}\n"
    ".panels{display:flex;flex-wrap:wrap;gap:.8rem}\n"
    ".panel{--under:var(--card);flex:1 1 calc(.92*var(--width));min-width:0;margin:0}\n"
    "figure svg{display:block;width:100%;min-width:calc(.8*var(--width));"
    "max-width:calc(1.3*var(--width));height:auto;margin:auto}\n"
    "figure svg [color=black],figure svg use[color='rgb(  0,   0,   0)']{color:var(--ink)}\n"
    "figure svg [stroke='rgb(  0,   0,   0)'],figure svg [stroke=black]{stroke:var(--ink)}\n"
    "figure svg [fill=black],figure svg [fill='rgb(0,0,0)']{fill:var(--ink)}\n"
    "figure svg [color=white]{color:var(--card)}\n"
    "figure svg .gridline{stroke:var(--line)}\n"
    "figure svg [color='rgb(  0, 114, 178)']{color:var(--blue)}\n"
    "figure svg [stroke='rgb(  0, 114, 178)']{stroke:var(--blue)}\n"
    "figure svg [fill='rgb(  0, 114, 178)']{fill:var(--blue)}\n"
    "figure svg pattern [style*='rgb(0,114,178)']{stroke:var(--blue)!important}\n"
    "@media(max-width:40rem){body{padding:.6rem}figure{padding:.4rem}dl{display:block}}\n";

void page_begin(struct page *page, FILE *file, const char *title)
{
    *page = (struct page){.file = file};
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" "
          "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>",
          file);
    html_text(file, title);
    fprintf(file, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<h1>", styles);
    html_text(file, title);
    fputs("</h1>\n<section>\n", file);
}

static void close_list(struct page *page)
{
    if (page->in_list)
        fputs("</dl>\n", page->file);
    page->in_list = false;
}

void page_end(struct page *page)
{
    close_list(page);
    fputs("</section>\n</body>\n</html>\n", page->file);
}

void page_chapter(struct page *page, const char *kind, const char *name)
{
    close_list(page);
    fputs("</section>\n<section>\n<h2><small>", page->file);
    html_text(page->file, kind);
    fputs("</small> ", page->file);
    html_text(page->file, name);
    fputs("</h2>\n", page->file);
}

void page_note(struct page *page, const char *text)
{
    close_list(page);
    fputs("<p>", page->file);
    html_text(page->file, text);
    fputs("</p>\n", page->file);
}

void page_text(struct page *page, const char *label, const char *text)
{
    fputs(page->in_list ? "<dt>" : "<dl>\n<dt>", page->file);
    html_text(page->file, label);
    fputs("</dt><dd>", page->file);
    html_text(page->file, text);
    fputs("</dd>\n", page->file);
    page->in_list = true;
}

static void put_meaning(void *payload, const char *name, const char *title)
{
    struct page *page = payload;
    const char *meaning = column_meaning(name);
    if (!meaning)
        return;
    fputs("<dt>", page->file);
    html_text(page->file, title);
    fputs("</dt><dd>", page->file);
    html_text(page->file, meaning);
    fputs("</dd>\n", page->file);
}

static void note_meaning(void *payload, const char *name, const char *title)
{
    (void)title;
    *(bool *)payload |= column_meaning(name) != NULL;
}

/* Folded, below the table. */
static void put_meanings(struct page *page, const struct table *table)
{
    bool has_some = false;
    table_each_column(table, note_meaning, &has_some);
    if (!has_some)
        return;
    fputs("<details><summary>What the columns mean</summary>\n<dl>\n", page->file);
    table_each_column(table, put_meaning, page);
    fputs("</dl>\n</details>\n", page->file);
}

enum status page_table(struct page *page, const struct table *table, struct error *error)
{
    close_list(page);
    fputs("<div class=\"scroll\" tabindex=\"0\">\n", page->file);
    TRY(table_print_html(table, page->file, error));
    fputs("</div>\n", page->file);
    put_meanings(page, table);
    return STATUS_OK;
}

/* ---- pictures ---- */

/* Of the SVG, in its own units. */
static int width_of(const char *svg)
{
    static const char box[] = "viewBox=\"0 0 ";
    const char *found = strstr(svg, box);
    const int width = found ? (int)strtol(found + sizeof box - 1, NULL, 10) : 0;
    return width > 0 ? width : 480;
}

/* One panel's SVG, from "<svg" to its end. The names of its patterns, which every panel begins
 * anew, get a number of their own: elements of a page must not share names. */
static void put_panel(struct page *page, const char *svg, const char *end)
{
    static const char pattern[] = "gpPat";
    fprintf(page->file, "<div class=\"panel scroll\" tabindex=\"0\" style=\"--width:%dpx\">",
            width_of(svg));
    page->panel_count++;
    for (const char *at = svg, *next; at < end; at = next) {
        const char *found = strstr(at, pattern);
        next = found && found < end ? found + strlen(pattern) : end;
        fwrite(at, 1, (size_t)(next - at), page->file);
        if (next < end)
            fprintf(page->file, "%d-", page->panel_count);
    }
    fputs("</div>\n", page->file);
}

/* Puts every SVG of the text; returns how many there were. */
static int put_panels(struct page *page, const char *text)
{
    static const char close[] = "</svg>";
    int count = 0;
    for (const char *svg; (svg = strstr(text, "<svg")); count++) { /* after an XML declaration */
        const char *end = strstr(svg, close);
        text = end ? end + strlen(close) : svg + strlen(svg);
        put_panel(page, svg, text);
    }
    return count;
}

static void put_caption(struct page *page, const struct picture *picture, const char *caption)
{
    fputs("<figcaption>", page->file);
    if (picture->title[0]) {
        fputs("<strong>", page->file);
        html_text(page->file, picture->title);
        fputs("</strong> ", page->file);
    }
    html_text(page->file, caption);
    if (picture->note[0]) {
        fputs(" (", page->file);
        html_text(page->file, picture->note);
        fputs(")", page->file);
    }
    fputs("</figcaption>\n", page->file);
}

enum status page_picture(struct page *page, struct picture *picture, const char *caption,
                         struct error *error)
{
    char *text;
    size_t size;
    close_list(page);
    TRY(picture_render(&text, &size, picture, error));
    fprintf(page->file, "<figure id=\"picture-%d\" role=\"img\" aria-label=\"",
            ++page->picture_count);
    html_text(page->file, caption);
    fputs("\">\n", page->file);
    put_caption(page, picture, caption);
    fputs("<div class=\"panels\">\n", page->file);
    const int count = put_panels(page, text);
    fputs("</div>\n</figure>\n", page->file);
    free(text);
    return count > 0 ? STATUS_OK : FAIL(error, STATUS_FAILED, "gnuplot drew no SVG");
}

#include "out/out.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/wait.h"
#include "out/text.h"

static const char *const style_starts[] = {
    [OUT_PLAIN] = "",        [OUT_BOLD] = "\033[1m", [OUT_DIM] = "\033[2m",   [OUT_GOOD] = "\033[32m",
    [OUT_WARN] = "\033[33m", [OUT_BAD] = "\033[31m", [OUT_NAME] = "\033[36m",
};

const char *out_style_start(OutStyle style)
{
    return style_starts[style];
}

static bool smart_terminal(FILE *stream)
{
    const char *term = g_getenv("TERM");
    return isatty(fileno(stream)) == 1 && term != NULL && *term != '\0' && strcmp(term, "dumb") != 0;
}

static bool wants_color(OutColor color, FILE *stream)
{
    if (color != OUT_COLOR_AUTO)
        return color == OUT_COLOR_ALWAYS;
    const char *no_color = g_getenv("NO_COLOR");
    return (no_color == NULL || *no_color == '\0') && smart_terminal(stream);
}

static int terminal_width(FILE *stream)
{
    struct winsize size;
    if (ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return 80;
}

void out_init(Out *out, bool json, bool quiet, bool verbose, OutColor color)
{
    *out = (Out){.results = stdout, .notices = stderr, .json = json, .quiet = quiet, .verbose = verbose};
    out->color_results = wants_color(color, stdout);
    out->color_notices = wants_color(color, stderr);
    out->results_tty = isatty(STDOUT_FILENO) == 1;
    out->notices_tty = smart_terminal(stderr);
    out->width = terminal_width(stdout);
}

void out_live_erase(Out *out)
{
    if (out->live.lines == 0)
        return;
    int width = terminal_width(out->notices), rows = 0;
    for (int i = 0; i < out->live.lines; i++)
        rows += MAX(1, (out->live.widths[i] + width - 1) / width);
    fprintf(out->notices, "\033[%dA\r\033[J", rows);
    fflush(out->notices);
    out->live.lines = 0;
}

/* Length of one of our own style codes at text, or 0. */
static size_t style_code_at(const char *text)
{
    if (*text != '\033')
        return 0;
    if (g_str_has_prefix(text, OUT_STYLE_END))
        return strlen(OUT_STYLE_END);
    for (size_t i = OUT_BOLD; i < G_N_ELEMENTS(style_starts); i++)
        if (g_str_has_prefix(text, style_starts[i]))
            return strlen(style_starts[i]);
    return 0;
}

/* Escapes everything but line ends and the codes of out_styled(): the last wall before the terminal. */
static char *escape_keeping_styles(const char *text)
{
    GString *safe = g_string_new(NULL);
    while (*text != '\0') {
        size_t code = style_code_at(text);
        if (code > 0) {
            g_string_append_len(safe, text, (gssize)code);
            text += code;
            continue;
        }
        size_t length = *text == '\033' ? 1 : strcspn(text, "\033");
        g_autofree char *piece = g_strndup(text, length);
        g_autofree char *escaped = text_escape_lines(piece);
        g_string_append(safe, escaped);
        text += length;
    }
    return g_string_free(safe, FALSE);
}

void out_line(Out *out, const char *format, ...)
{
    if (out->json)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *safe = out->color_results ? escape_keeping_styles(text) : text_escape_lines(text);
    out_live_erase(out);
    fprintf(out->results, "%s\n", safe);
}

/* prefix first line, then the others indented, so that no text can pass for a message of ours. */
static void print_message(Out *out, OutStyle style, const char *prefix, const char *text)
{
    g_autofree char *safe = text_escape_lines(text);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(safe), "\n", -1);
    g_autofree char *head = out_paint(out->color_notices, style, prefix);
    out_live_erase(out);
    fprintf(out->notices, "%s%s\n", head, lines[0] == NULL ? "" : lines[0]);
    for (guint i = 1; lines[0] != NULL && lines[i] != NULL; i++)
        fprintf(out->notices, "%s%s\n", *lines[i] == '\0' ? "" : "    ", lines[i]);
    fflush(out->notices);
}

void out_notice(Out *out, const char *format, ...)
{
    if (out->quiet)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    print_message(out, OUT_PLAIN, "", text);
}

void out_warning(Out *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    print_message(out, OUT_WARN, "pgfold: warning: ", text);
}

char *out_paint(bool color, OutStyle style, const char *text)
{
    g_autofree char *safe = text_escape(text);
    if (!color || style == OUT_PLAIN || *safe == '\0')
        return g_steal_pointer(&safe);
    return g_strconcat(style_starts[style], safe, OUT_STYLE_END, NULL);
}

char *out_styled(const Out *out, OutStyle style, const char *text)
{
    return out_paint(out->color_results, style, text);
}

void out_raw(Out *out, const char *text)
{
    out_live_erase(out);
    fputs(text, out->results);
}

static const char *error_kind(const GError *error)
{
    switch (pgf_error_exit_status(error)) {
    case PGF_ERROR_DIFFERS:
        return "differs";
    case PGF_ERROR_USAGE:
        return "usage";
    case PGF_ERROR_CONNECT:
        return "connect";
    case PGF_ERROR_REFUSED:
        return "refused";
    case PGF_ERROR_MIDWAY:
        return "midway";
    case PGF_ERROR_CANCELLED:
        return "cancelled";
    default:
        return "internal";
    }
}

static void print_error_text(Out *out, const GError *error)
{
    print_message(out, OUT_BAD, "pgfold: error: ", error->message);
    if (pgf_error_state(error) != NULL)
        print_message(out, OUT_BOLD, "  state: ", pgf_error_state(error));
    if (pgf_error_hint(error) != NULL)
        print_message(out, OUT_BOLD, "  hint: ", pgf_error_hint(error));
}

void out_error_text(Out *out, const GError *error)
{
    fflush(out->results);
    print_error_text(out, error);
}

void out_error(Out *out, const GError *error)
{
    fflush(out->results);
    print_error_text(out, error);
    if (!out->json || out->json_done)
        return;
    json_t *document = out_json_new("error");
    json_object_set_new(document, "kind", json_string(error_kind(error)));
    json_object_set_new(document, "exit_status", json_integer(pgf_error_exit_status(error)));
    json_object_set_new(document, "message", out_json_string(error->message));
    json_object_set_new(document, "state", out_json_string(pgf_error_state(error)));
    json_object_set_new(document, "hint", out_json_string(pgf_error_hint(error)));
    out_json(out, document);
}

bool out_can_ask(const Out *out)
{
    return isatty(STDIN_FILENO) == 1 && isatty(fileno(out->notices)) == 1;
}

/* One line from the terminal; false when cancelled or at its end. The terminal hands over whole lines. */
static bool read_answer(char *answer, size_t size)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    if (!wait_fds(&input, 1, DEADLINE_NONE, NULL))
        return false;
    ssize_t length = read(STDIN_FILENO, answer, size - 1);
    if (length <= 0)
        return false;
    answer[length] = '\0';
    g_strstrip(answer);
    return true;
}

static void print_question(Out *out, const char *text, const char *choices)
{
    g_autofree char *safe = text_escape_lines(text);
    out_live_erase(out);
    fflush(out->results);
    fprintf(out->notices, "%s %s", safe, choices);
    fflush(out->notices);
}

char *out_ask(Out *out, const char *format, ...)
{
    if (!out_can_ask(out))
        return NULL;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    print_question(out, text, "");
    char answer[4096];
    if (read_answer(answer, sizeof answer))
        return g_strdup(answer);
    fputc('\n', out->notices);
    return NULL;
}

bool out_confirm(Out *out, bool assume_yes, const char *format, ...)
{
    if (assume_yes)
        return true;
    if (!out_can_ask(out))
        return false;
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    print_question(out, text, "[y/N] ");
    char answer[64];
    if (!read_answer(answer, sizeof answer)) {
        fputc('\n', out->notices);
        return false;
    }
    return g_ascii_strcasecmp(answer, "y") == 0 || g_ascii_strcasecmp(answer, "yes") == 0;
}

bool out_flush(Out *out)
{
    out_live_erase(out);
    fflush(out->notices);
    errno = 0;
    return fflush(out->results) == 0 && ferror(out->results) == 0;
}

"""What nginx lets through to hps-api, how often and how much, and what it answers by itself in the caller's form. Pure.

The form of a failure is chosen as hps-api chooses it: by Accept, by the parameter `format`, by the address `/api/`, then
by User-Agent. iPXE gets a script that waits and asks again, with status 200: firmware does not ask twice.
"""

from hps.values import checked_address

BODY = "264k"
"""The largest body: a little above the 256 KiB of hps-api, so that hps-api says it of anything that is not absurd."""

LONGEST_ADDRESS = 8192
"""Characters of an address with its parameters."""

RATE, BURST, CONNECTIONS = 10, 50, 16
"""Requests a second, requests at once, and connections of one address that shows no certificate of ours."""

_PROBLEMS = (
    (400, "the request is not well formed", "ask as the documents of the commands say"),
    (
        401,
        "the client certificate is not good here",
        "it is expired, not good yet, or of another cluster; ask without it, or for a new one",
    ),
    (403, "this is not served", "files are below /boot/ and /images/"),
    (404, "there is no such thing here", "commands are at /hps-api?cmd=NAME and /api/NAME"),
    (405, "this address does not take that method", "GET it"),
    (408, "the request took too long", "try again"),
    (413, "the request is too large", "at most 256 KiB"),
    (414, "the address is too long", f"at most {LONGEST_ADDRESS} characters; send parameters in the body of a POST"),
    (429, "you ask too often", f"at most {RATE} times a second and {CONNECTIONS} at once; wait a second"),
    (431, "the headers of the request are too large", "send fewer cookies"),
    (500, "nginx failed", "its log on the IPS says why"),
    (502, "hps-api does not answer yet", "try again; on the IPS: hps service status"),
    (503, "the IPS is too busy", "try again"),
    (504, "hps-api takes too long", "try again"),
)
_PAGE = "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>$problem</title><h1>$problem</h1><p>$remedy</p>"


def shared() -> tuple[str, ...]:
    """What stands once, outside of any server: limits, the names of forms, the words of each failure, the format of the log."""
    problems = " ".join(f'{code} "{words}";' for code, words, _ in _PROBLEMS)
    remedies = " ".join(f'{code} "{hint}";' for code, _, hint in _PROBLEMS)
    return (
        f"client_max_body_size {BODY};",
        "client_body_timeout 30s;",
        "client_header_timeout 15s;",
        "client_header_buffer_size 2k;",
        "large_client_header_buffers 4 16k;",
        # A certificate that nginx verified has no limit: an installing node reports as fast as it is.
        'map $ssl_client_verify $asker { SUCCESS ""; default $binary_remote_addr; }',
        f"limit_req_zone $asker zone=asked:4m rate={RATE}r/s;",
        "limit_conn_zone $asker zone=open:4m;",
        "limit_req_status 429;",
        "limit_conn_status 429;",
        "limit_req_log_level info;",
        "limit_conn_log_level info;",
        'map $http_accept $form_accepted { default ""; ~*x-ipxe ipxe; ~*html html; ~*json json; ~*text/plain text; }',
        'map $arg_format $form_wanted { default ""; ipxe ipxe; json json; html html; text text; }',
        'map $request_uri $form_placed { default ""; ~^/api/ json; }',
        "map $http_user_agent $form_typical { default text; ~*ipxe ipxe; ~*mozilla html; ~*curl/ json; ~*wget/ json; }",
        'map "$form_accepted:$form_wanted:$form_placed:$form_typical" $form { "~^:*(?<found>[a-z]+)" $found; }',
        # A loader that asks for a file which is not there has to see that it failed.
        "map $form $form_of_file { default $form; ipxe text; }",
        f'map $status $problem {{ {problems} default "the IPS refused this"; }}',
        f'map $status $remedy {{ {remedies} default "try again"; }}',
        # Of an address its parameters are not logged but for the command's name: whoever asks may put a secret there.
        'map $request_uri $asked { default "-"; "~^(?<path>[^?]{1,256})" $path; }',
        'map $request_uri $command { default ""; "~[?&]cmd=(?<word>[a-z_]{1,40})(&|$)" $word; }',
        "log_format asked '$remote_addr [$time_iso8601] \"$request_method $asked\" cmd=$command $status $body_bytes_sent'",
        "    ' $request_time upstream=$upstream_status \"$http_user_agent\"';",
    )


def limits() -> tuple[str, ...]:
    """For each location behind which hps-api is: how often and how much at once one address may ask, and how long its address is."""
    return (
        f"limit_req zone=asked burst={BURST} nodelay;",
        f"limit_conn open {CONNECTIONS};",
        f'if ($request_uri ~ ".{{{LONGEST_ADDRESS}}}") {{ return 414; }}',
    )


def pages(of_files: str = "403 404 405") -> tuple[str, ...]:
    """Where nginx goes for its answer to each failure; `of_files` are the statuses that a loader has to see."""
    return (
        "error_page 400 408 413 414 429 500 502 503 504 /-/$form;",
        f"error_page {of_files} /-/$form_of_file;",
        "error_page 494 =431 /-/$form;",
        "error_page 495 496 =401 /-/$form_of_file;",
        "error_page 497 =400 /-/$form_of_file;",
    )


def failures(again: str = "") -> tuple[str, ...]:
    """For each server: what nginx answers by itself, in the caller's form.

    Args:
        again: the address of the IPS where a machine that boots asks again; empty where none comes.
    """
    script = f"chain --replace --autofree http://{checked_address(again)}/boot/script || goto again" if again else ""
    return (
        "recursive_error_pages on;",
        *pages(),
        # The status stays that of the failure, whatever these say.
        *_form("json", "application/json", '{"ok": false, "error": "$problem", "hint": "$remedy", "status": $status}\\n'),
        *_form(
            "html",
            "text/html",
            "<!DOCTYPE html><html lang=en><meta charset=utf-8><title>$problem</title><h1>$problem</h1><p>$remedy</p>\\n",
        ),
        *_form("text", "text/plain", "error: $problem\\nhint: $remedy\\n"),
        "location = /-/ipxe {",
        "    internal;",
        "    set $why $problem;",
        "    error_page 418 =200 @again;",
        "    return 418;",
        "}",
        "location @again {",
        "    default_type text/plain;",
        f"    return 200 '#!ipxe\\necho HPS: $why, asking again in 5 seconds\\n:again\\nsleep 5\\n{script}\\n';",
        "}",
    )


def _form(name: str, media: str, body: str) -> tuple[str, ...]:
    return (
        f"location = /-/{name} {{",
        "    internal;",
        f"    default_type {media};",
        "    add_header X-Content-Type-Options nosniff always;",
        "    add_header Cache-Control no-store always;",
        f"    return 200 '{body}';",
        "}",
    )

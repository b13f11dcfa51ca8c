"""Two hundred strings that try to become script, markup or a link, made of what such attacks are made of."""

_CALL = "window.__xss=1"
_PLAIN = (
    "<script>{0}</script>",
    "<img src=x onerror={0}>",
    "<svg/onload={0}>",
    "<iframe srcdoc='<script>{0}</script>'></iframe>",
    "<a href='javascript:{0}'>x</a>",
    "<body onload={0}>",
    "<input autofocus onfocus={0}>",
    "<details open ontoggle={0}>",
    "<video><source onerror={0}></video>",
    "<math><mtext></table><img src=x onerror={0}>",
    "<object data='javascript:{0}'></object>",
    "<style>@import 'http://evil.example/x.css';</style>",
    "<link rel=stylesheet href=http://evil.example/x.css>",
    "<meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<base href=http://evil.example/>",
    "<form action=http://evil.example/><button>x</button></form>",
    "[x](javascript:{0})",
    "![x](http://evil.example/p.png)",
    "[x](data:text/html,<script>{0}</script>)",
    '![x](x"onerror="{0})',
)
_WRAPPED = (
    "{0}",
    "\"'>{0}",
    "'-->{0}<!--",
    "</textarea></title></style>{0}",
    "{{{{{0}}}}}",
    "${{{0}}}",
    "\u202e{0}",
    "`{0}`",
    "| a |\n|---|\n| {0} |",
    "\\u003c{0}",
)
CORPUS = tuple(wrap.format(plain.format(_CALL)) for plain in _PLAIN for wrap in _WRAPPED)
assert len(set(CORPUS)) == 200

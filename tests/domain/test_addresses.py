"""Addresses that are fetched: what is one, what is public, what a list allows."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aimindserve.domain.addresses import (
    AddressError,
    MediaPolicy,
    MediaRules,
    is_public,
    media_rules,
    parse_address,
    parse_allowed_host,
    read_ip,
    redirected,
)

GOOD = [
    ("https://example.com", "https", "example.com", 443, "/", "example.com"),
    ("HTTP://Example.COM:80/a?b#c", "http", "example.com", 80, "/a?b", "example.com"),
    ("https://example.com./x", "https", "example.com", 443, "/x", "example.com"),
    ("http://example.com?x=1", "http", "example.com", 80, "/?x=1", "example.com"),
    ("https://a.b-c.example:8443/%41", "https", "a.b-c.example", 8443, "/%41", "a.b-c.example:8443"),
    (
        "https://xn--fsq.com/图片.png?名=1",
        "https",
        "xn--fsq.com",
        443,
        "/%E5%9B%BE%E7%89%87.png?%E5%90%8D=1",
        "xn--fsq.com",
    ),
    ("http://1.2.3.4/x", "http", "1.2.3.4", 80, "/x", "1.2.3.4"),
    ("http://[2606:4700:0::1]/x", "http", "2606:4700::1", 80, "/x", "[2606:4700::1]"),
]


@pytest.mark.parametrize(("text", "scheme", "host", "port", "target", "authority"), GOOD)
def test_what_is_an_address(text: str, scheme: str, host: str, port: int, target: str, authority: str) -> None:
    address = parse_address(text)
    assert (address.scheme, address.host, address.port, address.target) == (scheme, host, port, target)
    assert address.authority == authority


BAD = [
    "", "example.com/x", "//example.com", "ftp://example.com", "file:///etc/passwd", "https:/example.com", "https://",
    "https://user@example.com", "https://user:pw@example.com", "http://example.com@127.0.0.1/", "http://a\\@b.com/",
    "http://example.com\\.evil.com", "http://exa mple.com", "http://example.com/a b", "http://example.com\r\nHost: x/",
    "http://example.com/\tx", "http://例え.jp/", "http://①②⑦.⓪.⓪.①/", "http://127.1/", "http://0x7f.0.0.1/", "http://0177.0.0.1/",
    "http://2130706433/", "http://0x7f000001/", "http://017700000001/", "http://127.0.0.1.0/", "http://1.2.3.4.5/",
    "http://1.2.3.256/", "http://01.2.3.4/", "http://[::1%25eth0]/", "http://[::1%eth0]/", "http://[1.2.3.4]/", "http://[]/",
    "http://[::1/", "http://::1/", "http://example.com:0/", "http://example.com:65536/", "http://example.com:80:80/",
    "http://example.com:/x", "http://-a.com/", "http://a..b/", "http://.a.b/", "http://%31%32%37.0.0.1/", "http://a%2eb.com/",
    "http://" + "a" * 64 + ".com/", "http://" + ".".join(["a" * 60] * 5) + "/", "http://example.com/" + "a" * 2048, " http://a.com",
]  # fmt: skip


@pytest.mark.parametrize("text", BAD)
def test_what_is_none_or_means_two_things(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


@given(st.text(max_size=80))
def test_any_text_is_an_address_or_none(text: str) -> None:
    for whole in (text, f"https://{text}", f"http://example.com{text}"):
        try:
            address = parse_address(whole)
        except AddressError:
            continue
        request = f"GET {address.target} HTTP/1.1\r\nhost: {address.authority}\r\n\r\n"
        assert request.isascii()
        assert request.count("\r\n") == 3
        assert request.count(" ") == 3
        assert parse_address(f"{address.scheme}://{address.authority}{address.target}") == address


def test_redirects() -> None:
    here = parse_address("https://example.com/a/b?c")
    assert redirected(here, "/x").target == "/x"
    assert redirected(here, "d").target == "/a/d"
    assert redirected(here, "//other.com/").host == "other.com"
    assert redirected(here, "https://127.0.0.1/").ip == IPv4Address("127.0.0.1")
    for bad in (
        "http://example.com/",
        "ftp://x/",
        "https://u@x/",
        "https://x/\r\ny: z",
        "https://x\\@y/",
        "http:\\\\x",
    ):
        with pytest.raises(AddressError):
            redirected(here, bad)
    assert redirected(parse_address("http://a.com"), "https://b.com").scheme == "https"


INNER = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1",
    "127.255.0.1", "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1",
    "239.1.1.1", "240.0.0.1", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:7f00:1::", "2001:20::1", "2001:db8::1",
    "2002:7f00:1::", "2002:808:808::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0",
    "fec0::1", "ff02::1", "4000::1",
]  # fmt: skip
OUTER = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1",
    "2a00::1",
]


def test_inner_and_outer_addresses() -> None:
    assert [text for text in INNER if is_public(read_ip(text))] == []
    assert [text for text in OUTER if not is_public(read_ip(text))] == []


@given(st.ip_addresses(v=4) | st.ip_addresses(v=6))
def test_what_python_calls_not_global_is_not_public(ip: IPv4Address | IPv6Address) -> None:
    if is_public(ip):
        assert ip.is_global
        assert not ip.is_multicast


def rules(*hosts: str) -> MediaRules:
    return media_rules("allowlist", hosts)


def fetches(allowed: MediaRules, url: str, *ips: str) -> bool:
    address = parse_address(url)
    try:
        allowed.check_host(address)
        allowed.check_ips(address, map(read_ip, ips or ([str(address.ip)] if address.ip else ["8.8.8.8"])))
    except AddressError:
        return False
    return True


def test_policies() -> None:
    public = MediaRules()
    assert fetches(public, "https://example.com/x")
    assert not fetches(public, "https://example.com:8443/x")
    assert not fetches(public, "https://example.com/x", "8.8.8.8", "10.0.0.1")
    assert not fetches(public, "http://10.0.0.1/")
    assert not fetches(MediaRules(MediaPolicy.OFF), "https://example.com/x")


def test_a_list_of_hosts() -> None:
    listed = rules(
        "pictures.example.com", "*.cdn.example", "store.lan:9000", "10.1.0.0/16", "10.1.0.0/16:9000", "[fd00::7]:81"
    )
    assert fetches(listed, "https://pictures.example.com/x")
    assert fetches(listed, "https://a.b.cdn.example/x")
    assert not fetches(listed, "https://cdn.example.evil/x")
    assert not fetches(listed, "https://xcdn.example/x")
    assert not fetches(listed, "https://other.example.com/x")
    assert not fetches(listed, "https://pictures.example.com:81/x")
    assert fetches(listed, "http://10.1.2.3/x")
    assert not fetches(listed, "http://10.2.2.3/x")
    assert fetches(listed, "http://[fd00::7]:81/x")
    assert not fetches(listed, "http://[fd00::7]/x")
    # A listed name leads to an inner address only where that is listed too.
    assert fetches(listed, "http://store.lan:9000/x", "10.1.0.9")
    assert not fetches(listed, "http://store.lan:9000/x", "10.2.0.9")
    assert not fetches(listed, "https://pictures.example.com/x", "127.0.0.1")


@pytest.mark.parametrize(
    "text", ["", "a b", "http://x", "x/y", "10.0.0.0/99", "10.0.0.1/8", "1.2.3", "*", "x:y", "[::1"]
)
def test_what_is_no_entry(text: str) -> None:
    with pytest.raises(AddressError):
        parse_allowed_host(text)

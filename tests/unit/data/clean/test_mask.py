from __future__ import annotations

import pytest

from sluicegate.data.clean.mask import Mask, is_id_card

ID_CARD = "11010519491231002X"


def step(**options: object) -> Mask:
    return Mask(Mask.Config.model_validate(options))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("write to a.b+c@mail.example.com.", "write to <EMAIL>."),
        ("我的手机是13812345678，谢谢", "我的手机是<PHONE>，谢谢"),
        ("+86 138-1234-5678 or 010-62345678", "<PHONE> or <PHONE>"),
        ("call (415) 555-0132 or +44 20 7946 0958", "call <PHONE> or <PHONE>"),
        (f"身份证号{ID_CARD}。", "身份证号<ID_CARD>。"),
        ("ping 8.8.8.8 and 2606:4700:4700::1111", "ping <IP> and <IP>"),
        ("key sk-abcdefghijklmnopqrstuvwx1234 and AKIAIOSFODNN7EXAMPLE", "key <KEY> and <KEY>"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----", "<KEY>"),
    ],
)
def test_masked(text: str, masked: str) -> None:
    assert step().text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "3 + 4 = 7, 12345678901 apples, 138 12 5",
        "110105194912310021",  # the check digit is wrong
        "version 1.2.3.4.5 and 999.1.1.1",
        "at 12:30:45 it was 1:2:3",
        "host 127.0.0.1, 192.168.0.1, 2001:db8::ff00:42:8329",
        "448+2(24310)+24310=n, 4(10)+4(13.928), (atan(-1/5)+3.14159), -32y +256)-16, 273.15",
        "3.14159265358979323846, 1,234,567.89",
        "the sk-learn library, a@b",
        "x = 2024-11-05, 192-168",
    ],
)
def test_left_alone(text: str) -> None:
    assert step().text(text) == text


def test_only_what_is_asked_for_and_how_often() -> None:
    mask = step(kinds=["email"])
    assert mask.text("a@b.cn 13812345678 c@d.cn") == "<EMAIL> 13812345678 <EMAIL>"
    assert mask.counts == {"email masked": 2}


def test_the_check_digit_of_an_identity_card() -> None:
    assert is_id_card(ID_CARD)
    assert is_id_card(ID_CARD.lower())
    assert not is_id_card("110105194912310020")
    assert not is_id_card("11010519491331002X"), "there is no thirteenth month"

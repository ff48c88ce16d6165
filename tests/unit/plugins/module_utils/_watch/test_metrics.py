# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.haproof.balancer.plugins.module_utils._watch.metrics import Host, render
from ansible_collections.haproof.balancer.plugins.module_utils._watch.process import Process, Restarts
from ansible_collections.haproof.balancer.plugins.module_utils._watch.vip import Heard, Round, Vip, Watch
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

VIP = Vip("VI_1", "192.0.2.10", "eth0", "eth0", 10, 4, 253, 1.2)
QUIET = Host(Restarts(), False, [], {})
LABELS = {"instance_name": "VI_1", "interface": "eth0", "vip": "192.0.2.10", "vrid": "10"}


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Parse an exposition like Prometheus: each sample's value, by name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_prometheus_reads() -> None:
    watch = Watch(VIP, 100.0)
    for number in range(4):
        adverts = [Heard("192.0.2.11", "02:00:00:00:00:11", 254, own=True)]
        watch.step(Round(True, frozenset({"02:00:00:00:00:12"}), adverts=adverts), 100.5 + number / 2)
    restarts = Restarts()
    for number, child in enumerate((11, 11, 12)):
        restarts.step(Process(10, 1), {Process(child, 2)}, 100.5 + number / 2)
    text = render([watch], Host(restarts, True, [], {"nginx": 2}), 103.0, 1700000000.25)
    found = samples(text)

    def value(name: str, **labels: str) -> float:
        return found[name, frozenset({**LABELS, **labels}.items())]

    assert value("haproof_vrrp_state") == 2
    assert value("haproof_vrrp_transitions_total") == 1
    assert value("haproof_vrrp_last_advert_age_seconds") == 1
    assert value("haproof_vip_holder") == 1
    assert value("haproof_vip_answers") == 2
    assert value("haproof_vip_conflicts_total") == 1
    assert value("haproof_vip_released") == 0
    assert value("haproof_vip_finding", finding="split_brain") == 1
    assert value("haproof_vip_finding", finding="no_holder") == 0
    assert found["haproof_keepalived_restarts_total", frozenset()] == 1
    assert found["haproof_keepalived_finding", frozenset({("finding", "process_restarted")})] == 1
    assert found["haproof_maintenance", frozenset()] == 1
    assert found["haproof_engine_old_processes", frozenset({("engine", "nginx")})] == 2
    assert found["haproof_watch_heartbeat_timestamp_seconds", frozenset()] == 1700000000.25
    for family in text_string_to_metric_families(text):
        assert family.documentation
        assert family.type == ("counter" if family.samples[0].name.endswith("_total") else "gauge")


def test_hand_overs() -> None:
    done = {"vip": "192.0.2.10", "problem": None, "remaining": 7, "received": 40, "cut": 3}
    left_out = {"vip": "192.0.2.20", "problem": "it is on a VMAC's interface"}
    found = samples(render([], QUIET._replace(handovers=[done, left_out]), 103.0, 1.0))
    assert {
        (name.rpartition("handover_")[2], dict(labels)["vip"]): value
        for (name, labels), value in found.items()
        if "handover" in name
    } == {
        ("problem", "192.0.2.10"): 0,
        ("problem", "192.0.2.20"): 1,
        ("remaining", "192.0.2.10"): 7,
        ("received_total", "192.0.2.10"): 40,
        ("cut_total", "192.0.2.10"): 3,
    }


def test_no_advert_has_no_age() -> None:
    text = render([Watch(VIP, 100.0)], QUIET, 103.0, 1.0)
    assert not [name for name, _labels in samples(text) if name == "haproof_vrrp_last_advert_age_seconds"]


@given(name=st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_name_of_an_instance_is_read_back(name: str) -> None:
    text = render([Watch(VIP._replace(name=name), 100.0)], QUIET, 103.0, 1.0)
    labels = [dict(labels) for name, labels in samples(text) if name == "haproof_vip_holder"]
    assert [label["instance_name"] for label in labels] == [name]

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tcptriage explain as users meet it: every topic it lists can be asked for, in text and JSON; what it does not know it says."""
import fcntl
import functools
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import termios

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import tap  # noqa: E402

PROGRAM, ROOT, PAGE = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
KINDS = {"state", "rule", "column", "owner reason", "tcp_info field", "counter", "sysctl", "report word",
         "program setting"}
SETTINGS = ["pool-idle", "tcp-keepalive", "nodelay", "backlog", "connect-timeout", "idle-timeout", "request-timeout"]
PROGRAMS = ["Node.js, undici", "Go", "Java", "Python", "nginx", "HAProxy", "Envoy"]


def ask(*words):
    return subprocess.run([PROGRAM, "explain", *words], capture_output=True, text=True, timeout=30)


@functools.cache
def document(*words):
    answer = ask("--json", *words)
    assert answer.returncode == 0 and not answer.stderr, answer
    return json.loads(answer.stdout)


def list__without_topic__names_every_kind():
    topics = document()["topics"]
    assert {topic["kind"] for topic in topics} == KINDS
    text = ask().stdout
    for topic in topics:
        assert f"\n  {topic['name']} " in text, topic


def topic__each_of_the_list__is_explained():
    for topic in document()["topics"]:
        full = document(topic["name"])["topics"]
        mine = [entry for entry in full if (entry["kind"], entry["name"]) == (topic["kind"], topic["name"])]
        assert len(mine) == 1, (topic, full)
        assert mine[0]["meaning"] and mine[0]["refs"], topic


def json__every_topic__fits_the_schema():
    try:
        import jsonschema
    except ImportError:
        raise tap.Skip("no python3 module jsonschema")
    schema = json.loads((ROOT / "data/schema/tcptriage.explain-1.json").read_text())
    validator = jsonschema.Draft202012Validator(schema)
    listed = document()
    validator.validate(listed)
    for topic in listed["topics"]:
        validator.validate(document(topic["name"]))


def ndjson__lines__are_header_topics_summary():
    lines = [json.loads(line) for line in ask("--ndjson", "Recv-Q").stdout.splitlines()]
    assert [line["type"] for line in lines] == ["header", "topic", "topic", "summary"], lines


def limits_of(rule):
    return rule["thresholds"] + [limit for kind in ("packets", "probes") if rule[kind] for limit in rule[kind]["thresholds"]]


def rule__text__has_limits_and_no_open_placeholder():
    for topic in document()["topics"]:
        if topic["kind"] != "rule":
            continue
        text, rule = ask(topic["name"]).stdout, document(topic["name"])["topics"][0]
        prose = functools.reduce(lambda rest, line: rest.replace(line["text"], ""), rule["settings"], text)
        assert "{" not in prose and "}" not in prose, prose
        assert limits_of(rule), rule
        for limit in limits_of(rule):
            assert re.search(rf"\b{limit['name']} ", text), limit


def signals__of_a_rule__stand_apart_from_its_sockets():
    for topic in document("rules")["topics"]:
        text, rule = ask(topic["name"]).stdout, document(topic["name"])["topics"][0]
        assert rule["packets"] or rule["probes"] or rule["thresholds"], rule
        for kind in ("packets", "probes"):
            label = f"\n  {kind:10}"
            assert (label in text) == (rule[kind] is not None), text
            if rule[kind] is None:
                continue
            words = text.split(label)[1]
            assert words.startswith(rule[kind]["meaning"].split("\n")[0]), words[:200]
            first = rule[kind]["thresholds"][0]["name"]
            assert f"\n  - limits  {first} " in words and f"\n  - made by {rule[kind]['repro']}" in words, words
    every = document("syn-sent-stall")["topics"][0]
    names = [limit["name"] for limit in limits_of(every)]
    assert every["packets"]["thresholds"] and every["probes"]["thresholds"] and every["thresholds"], every
    assert len(names) == len(set(names)), names
    assert document("rst-after-idle")["topics"][0]["thresholds"] == [], "reads packets only"


def rules_page__of_the_build__holds_every_rule():
    page = PAGE.read_text()
    assert "\n.Os Linux\n" in page, page[:300]
    for topic in document()["topics"]:
        if topic["kind"] == "rule":
            assert f"\n.Ss {topic['name']}\n" in page, topic
            rule = document(topic["name"])["topics"][0]
            part = page.split(f"\n.Ss {topic['name']}\n")[1].split("\n.Ss ")[0]
            for kind in ("packets", "probes"):
                assert (f"\n.Sy Read from {kind}\n" in part) == (f"\n.Sy Limits in {kind}\n" in part) == (rule[kind] is not None), part
            for limit in limits_of(rule):
                assert f"\n.It Li {limit['name']}\n" in part, limit


def readme__table__holds_every_rule_by_its_title():
    readme = (ROOT / "README.md").read_text()
    rules = [topic["name"] for topic in document()["topics"] if topic["kind"] == "rule"]
    section = readme.split("\n## What it looks for\n")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\S+)` \|", section, re.M) == rules, section
    assert "These faults are judged today" in section, section
    for topic in document()["topics"]:
        if topic["kind"] == "rule":
            assert f"| `{topic['name']}` | {topic['summary']} |" in readme, topic
            rule = document(topic["name"])["topics"][0]
            row = next(line for line in section.splitlines() if line.startswith(f"| `{topic['name']}` |"))
            assert [cell.strip() for cell in row.split("|")[-3:-1]] == ["yes" if rule[kind] else "–" for kind in ("packets", "probes")], row


def unknown__topic__offers_the_nearest_and_exits_2():
    answer = ask("clos-wait")
    assert answer.returncode == 2 and not answer.stdout, answer
    assert "'clos-wait'" in answer.stderr and "'CLOSE-WAIT'" in answer.stderr, answer.stderr
    assert ask("qqqqqqqqqq").returncode == 2


def unknown__part_of_names__lists_them():
    answer = ask("overflow")
    assert answer.returncode == 2 and not answer.stdout, answer
    assert "accept-queue-overflow" in answer.stderr and "ListenOverflows" in answer.stderr, answer.stderr
    many = ask("tcp")
    assert many.returncode == 2 and re.search(r" and \d+ more\n", many.stderr), many.stderr
    offered = many.stderr.split("names with it: ")[1].split(" and ")[0].split(", ")
    assert len(offered) == 8 and all("tcp" in name.lower() for name in offered), offered
    assert "names with" not in ask("zz").stderr and "names with" not in ask("%").stderr


def group__word__lists_its_kind_alone():
    topics, seen = document()["topics"], set()
    for group, kind in (("states", "state"), ("rules", "rule"), ("columns", "column"), ("reasons", "owner reason"),
                        ("fields", "tcp_info field"), ("COUNTERS", "counter"), ("sysctls", "sysctl"), ("words", "report word"),
                        ("settings", "program setting")):
        assert document(group)["topics"] == [topic for topic in topics if topic["kind"] == kind], group
        seen.add(kind)
    assert seen == KINDS
    text = ask("states").stdout
    assert text.startswith("states\n  ESTAB ") and "\n\n" in text and "rules" not in text, text


def settings__of_programs__stand_below_the_rules_they_mend():
    assert [topic["name"] for topic in document("settings")["topics"]] == SETTINGS
    assert re.findall(r"^  (\S+) ", ask("settings").stdout, re.M) == SETTINGS
    text, rule = ask("close-wait-leak").stdout, document("close-wait-leak")["topics"][0]
    assert [(line["setting"], line["program"]) for line in rule["settings"]] == [("pool-idle", name) for name in PROGRAMS]
    assert "\n  set       pool-idle\n            - Node.js, undici: " in text, text
    for line in rule["settings"]:
        assert f"\n            - {line['program']}: {line['text']}\n" in text and line["source"] not in text, line
    names = [line["setting"] for line in document("idle-no-keepalive")["topics"][0]["settings"]]
    assert names == ["pool-idle"] * len(PROGRAMS) + ["tcp-keepalive"] * len(PROGRAMS), names
    assert document("udp-rcvbuf-drop")["topics"][0]["settings"] == [] and "\n  set " not in ask("udp-rcvbuf-drop").stdout


def setting__text__has_a_line_and_its_source_for_each_program():
    for name in SETTINGS:
        text, topic = ask(name).stdout, [entry for entry in document(name)["topics"] if entry["kind"] == "program setting"][0]
        assert [line["program"] for line in topic["settings"]] == PROGRAMS, topic
        assert {line["setting"] for line in topic["settings"]} == {name}, topic
        for line in topic["settings"]:
            assert f"- {line['program']}: {line['text']}\n              [{line['source']}]\n" in text, (line, text)


def json__a_spoilt_setting__does_not_fit_the_schema():
    try:
        import jsonschema
    except ImportError:
        raise tap.Skip("no python3 module jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads((ROOT / "data/schema/tcptriage.explain-1.json").read_text()))
    for word in ("close-wait-leak", "nodelay"):
        validator.validate(document(word))
        for spoil in ({"source": None}, {"text": ""}, {"surplus": 1}, {"program": 7}):
            spoilt = json.loads(json.dumps(document(word)))
            spoilt["topics"][0]["settings"][0].update(spoil)
            assert not validator.is_valid(spoilt), (word, spoil)
        for key in ("setting", "program", "text", "source"):
            spoilt = json.loads(json.dumps(document(word)))
            del spoilt["topics"][0]["settings"][0][key]
            assert not validator.is_valid(spoilt), (word, key, "is missing")


def report__words_it_prints__are_known():
    for word in ("confidence", "severity", "info", "warning", "critical", "against", "score", "near miss", "near-miss",
                 "in part", "not judged", "skipped", "partial", "complete", "incomplete", "very likely", "evidence"):
        kinds = {topic["kind"] for topic in document(*word.split())["topics"]}
        assert "report word" in kinds, (word, kinds)


def verdicts__of_probes__are_known():
    for word in ("mtu-probe", "trace", "fits", "narrower", "narrower-told", "black hole", "host-deaf", "unknown", "unreachable", "open", "refused", "refused-by-middlebox",
                 "prohibited", "no route", "filtered", "loop", "silent", "silence", "not finished", "local-error", "not sent"):
        topics = document(*word.split())["topics"]
        assert any(topic["kind"] == "report word" and topic["summary"].startswith(("mtu-probe: ", "trace: ", "the command ")) for topic in topics), (word, topics)


def unknown__topic_with_control_characters__is_escaped():
    answer = ask("\x1b[31mred\r")
    assert answer.returncode == 2 and "\x1b" not in answer.stderr and "\r" not in answer.stderr, answer


def words__apart__are_one_name():
    assert document("time", "wait")["topics"][0]["name"] == "TIME-WAIT"


def facts__of_folklore__are_right():
    assert "do not change" in ask("TIME-WAIT").stdout.replace("does not change", "do not change")
    assert "60 s" in ask("TIME-WAIT").stdout and "tcp_tw_recycle is gone" in ask("TIME-WAIT").stdout
    assert "does not change TIME-WAIT" in ask("tcp_fin_timeout").stdout


def terminal__text__keeps_to_its_width():
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 72, 0, 0))
    env = {key: value for key, value in os.environ.items() if key != "COLUMNS"}
    subprocess.run([PROGRAM, "explain", "--color=never", "ESTAB"], stdout=slave, env=env, check=True, timeout=30)
    os.close(slave)
    text = os.read(master, 65536).decode().replace("\r\n", "\n")
    os.close(master)
    lines = text.splitlines()[1:]
    assert len(lines) > 10 and max(map(len, lines)) <= 72, max(map(len, lines))
    assert max(len(line) for line in ask("ESTAB").stdout.splitlines()) > 200, "no wrapping in a pipe"


sys.exit(tap.main())

#!/usr/bin/env python3
"""Writes helm/sentinel/README.md and helm/sentinel/values.schema.json from helm/sentinel/values.yaml.

The comment above a key is its description, its value the default, and the type follows from the value. What a
value cannot show (choices, ranges, what an empty map or list may hold) is in RULES below. `--check` compares only.
"""

import json
import pathlib
import re
import sys

import yaml

TOP = pathlib.Path(__file__).resolve().parent.parent
VALUES = TOP / "helm/sentinel/values.yaml"
SCHEMA = TOP / "helm/sentinel/values.schema.json"
README = TOP / "helm/sentinel/README.md"

ABOUT = """\
# Sentinel's Helm chart

Agents on every node (DaemonSet), a detector that judges what they send, a dashboard that shows it. Kubernetes 1.25 and
newer.

```sh
helm install sentinel-ebpf helm/sentinel --namespace sentinel --create-namespace
helm test --namespace sentinel sentinel-ebpf
```

Recipes are in `docs/install.md` of the sources. The chart is linted, rendered and judged without a cluster by
`scripts/tests/helm.sh`, its pods run on containerd by `scripts/tests/containerd.sh`, and installed in a real cluster by
`scripts/tests/cluster.sh`.

## Values

Written by `scripts/chart-reference.py` from `values.yaml`; do not edit. What does not fit is refused by
`values.schema.json`, which is written from the same file.

| value | default | meaning |
|---|---|---|
"""

PORT = {"type": "integer", "minimum": 1, "maximum": 65535}
PERCENT = {"type": "integer", "minimum": 1, "maximum": 1000}
POSITIVE = {"type": "integer", "minimum": 1}
STRINGS = {"type": "array", "items": {"type": "string"}}
ANY_MAP = {"type": "object"}
STRING_MAP = {"type": "object", "additionalProperties": {"type": "string"}}
MODE = {"enum": ["grpc", "nats", "stdout", "file"]}
SIZE = {"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)?([KMGTPE]i?)?$"}

FORWARD_RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "minLength": 1},
        "enabled": {"type": "boolean"},
        "event": {"type": "string"},
        "condition": {"type": "string"},
        "match": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"pathPrefixes": STRINGS, "comms": STRINGS},
        },
    },
}

# Pattern of a key's path → its schema. The first that fits counts.
RULES = [
    (r"global\.imagePullSecrets", {"type": "array", "items": {"type": ["string", "object"]}}),
    (r"config\.logLevel", {"enum": ["error", "warn", "info", "debug", "trace"]}),
    (r"config\.rules", {"type": "array", "items": FORWARD_RULE}),
    (r"detection\.rules|agent\.capabilities|dashboard\.detectors|.*\.accessModes|detector\.engines|nats\.servers", STRINGS),
    (r"detection\.extraRules", STRING_MAP),
    (r"agent\.stream\.mode", {"anyOf": [MODE, {"type": "array", "items": MODE, "minItems": 1}]}),
    # YAML 1.1 reads on and off as true and false.
    (r"agent\.kubernetes", {"enum": ["auto", "on", "off", True, False]}),
    (r"detector\.history\.postgres\.url", {"type": "string", "pattern": "^$|^postgres(ql)?://"}),
    (r"nats\.stream", {"type": "string", "pattern": "^[A-Za-z0-9_-]+$"}),
    (r"agent\.stream\.batchSize", {"type": "integer", "minimum": 1, "maximum": 4096}),
    (r"agent\.stream\.queueLength", {"type": "integer", "minimum": 1, "maximum": 65536}),
    (r".*\.(rotateMaxBytes|rotateMaxFiles)", POSITIVE),
    (r"agent\.stream\.file\.path", {"type": "string", "pattern": "^/.+/.+"}),
    (r".*\.pullPolicy", {"enum": ["Always", "IfNotPresent", "Never"]}),
    (r".*\.service\.type", {"enum": ["ClusterIP", "NodePort", "LoadBalancer"]}),
    (r".*\.(port|httpPort)", PORT),
    (r".*\.targetMemoryUtilizationPercentage", {"anyOf": [PERCENT, {"type": "null"}]}),
    (r".*\.targetCPUUtilizationPercentage", PERCENT),
    (r".*\.(minReplicas|maxReplicas|replicas)", POSITIVE),
    (r".*\.minAvailable", {"type": ["integer", "string"]}),
    (r"dashboard\.access\.mode", {"enum": ["open", "token", "header"]}),
    (r".*\.(size|emptyDirSizeLimit)", SIZE),
    (r".*\.(nodeSelector|podLabels|podAnnotations|annotations|labels)", STRING_MAP),
    (r".*\.(affinity|resources|extraConfig|seccompProfile|updateStrategy|issuerRef)", ANY_MAP),
    (r".*\.(tolerations|parentRefs)", {"type": "array", "items": ANY_MAP}),
    (r".*\.hostnames", STRINGS),
]


def rule(path):
    for pattern, schema in RULES:
        if re.fullmatch(pattern, path):
            return schema
    return None


def schema(path, value):
    """JSON schema of a value of values.yaml."""
    known = rule(path)
    if known is not None:
        return known
    if isinstance(value, dict):
        inner = {key: schema(f"{path}.{key}" if path else key, one) for key, one in value.items()}
        # `global` is shared with a chart that has this one inside, and so may hold its keys.
        return {"type": "object", "additionalProperties": path == "global", "properties": inner}
    for kind, name in ((bool, "boolean"), (int, "integer"), (str, "string")):
        if isinstance(value, kind):
            return {"type": name}
    sys.exit(f"error: {VALUES.name}: {path}: no type can be told from {value!r}: add it to RULES")


def comments(text):
    """Path of each key → the comment above it."""
    found, stack, pending = {}, [], []
    for line in text.splitlines():
        if not line.strip():
            pending = []
            continue
        if match := re.match(r"^\s*# ?(.*)$", line):
            pending.append(match[1])
            continue
        if match := re.match(r"^( *)([A-Za-z]+):", line):
            depth = len(match[1]) // 2
            stack = stack[:depth] + [match[2]]
            found[".".join(stack)] = " ".join(pending)
        pending = []
    return found


def rows(path, value, said):
    """Lines of the table, in the order of the file."""
    if isinstance(value, dict) and value and rule(path) is None:
        for key, one in value.items():
            yield from rows(f"{path}.{key}" if path else key, one, said)
        return
    above = said.get(path) or said.get(path.rsplit(".", 1)[0], "")
    if not above:
        sys.exit(f"error: {VALUES.name}: {path}: say what it is in a comment above it")
    default = json.dumps(value, separators=(", ", ": ")).replace("|", "\\|")
    yield f"| `{path}` | `{default}` | {above} |"


def main():
    text = VALUES.read_text()
    values = yaml.safe_load(text)
    whole = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Values of the chart sentinel"}
    whole |= schema("", values)
    readme = ABOUT + "\n".join(rows("", values, comments(text))) + "\n"
    stale = []
    for file, content in ((SCHEMA, json.dumps(whole, indent=2) + "\n"), (README, readme)):
        if "--check" not in sys.argv:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content)
        elif not file.exists() or file.read_text() != content:
            stale.append(str(file.relative_to(TOP)))
    if stale:
        sys.exit(f"error: stale: {' '.join(stale)}: run scripts/chart-reference.py")


main()

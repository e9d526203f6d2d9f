"""A cluster's DNS in small: addresses of services, and of the pods behind those that have none of their own (headless).
For kube.sh; kubectl tells the objects:

    names.py ADDRESS
"""

import json
import socket
import subprocess
import sys
import time

DOMAIN = "svc.cluster.local"
heard, when = {}, 0.0


def services():
    """Name to addresses; at most two seconds old."""
    global heard, when
    if time.monotonic() - when > 2:
        objects = json.loads(subprocess.check_output(["kubectl", "get", "services,endpointslices", "-A", "-o", "json"], timeout=5))["items"]
        heard = {}
        for one in objects:
            meta = one["metadata"]
            if one["kind"] == "Service" and one["spec"].get("clusterIP", "None") != "None":
                heard[f"{meta['name']}.{meta['namespace']}.{DOMAIN}"] = [one["spec"]["clusterIP"]]
        for one in objects:
            if one["kind"] == "EndpointSlice":
                name = one["metadata"]["labels"].get("kubernetes.io/service-name", "")
                ready = [each["addresses"][0] for each in one.get("endpoints") or [] if each["conditions"].get("ready")]
                heard.setdefault(f"{name}.{one['metadata']['namespace']}.{DOMAIN}", ready)
        when = time.monotonic()
    return heard


def answer(question):
    """The same question with its addresses; none where nobody is called so."""
    labels, at = [], 12
    while question[at]:
        labels.append(question[at + 1 : at + 1 + question[at]].decode())
        at += 1 + question[at]
    kind, end = question[at + 1 : at + 3], at + 5
    name = ".".join(labels).lower()
    known = name in services()
    found = services()[name] if known and kind == b"\0\1" else []
    records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\1\0\4" + socket.inet_aton(each) for each in found)
    flags = b"\x84\x00" if known else b"\x84\x03"
    return question[:2] + flags + b"\0\1" + len(found).to_bytes(2, "big") + b"\0\0\0\0" + question[12:end] + records


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((sys.argv[1], 53))
    while True:
        question, peer = server.recvfrom(512)
        try:
            server.sendto(answer(question), peer)
        except Exception as error:  # whoever asked asks again
            print(error, flush=True)


main()

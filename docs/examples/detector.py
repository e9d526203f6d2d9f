#!/usr/bin/env python3
"""A detector of one's own: what reads /etc/shadow and is not in the list is an anomaly.

Once:   pip install grpcio grpcio-tools
        python3 -m grpc_tools.protoc -I crates/wire/proto --python_out=. --grpc_python_out=. sentinel/v1/events.proto
Then:   python3 detector.py 127.0.0.1:50052
"""

import sys
from concurrent import futures

import grpc
from google.protobuf import empty_pb2
from sentinel.v1 import events_pb2, events_pb2_grpc

EXPECTED = {"sshd", "sudo", "su", "login", "passwd", "cron"}


def judge(event):
    """Score from 0 (harmless) to 1 (certain) and the reason. Put the model here."""
    program = event.attributes.get("proc.name") or event.data.get("comm", "")
    if event.data.get("filename") == "/etc/shadow" and program not in EXPECTED:
        return 0.9, f"{program} touches /etc/shadow"
    return 0.0, ""


class Detector(events_pb2_grpc.DetectorServiceServicer):
    def StreamEvents(self, events, context):
        # One answer for each event. What is not implemented here (PushEvents, PushAlerts, ReportStatus) is
        # answered with UNIMPLEMENTED, and the agent falls back to this call.
        for event in events:
            score, reason = judge(event)
            answer = events_pb2.DetectionResponse(
                event_id=event.event_id, anomaly=score >= 0.5, reason=reason, score=score
            )
            answer.ts.GetCurrentTime()
            yield answer

    def ReportAnomaly(self, report, context):
        print(f"anomaly {report.event_id}: {report.reason} ({report.score:.2f})", flush=True)
        return empty_pb2.Empty()


def main():
    address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:50052"
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    events_pb2_grpc.add_DetectorServiceServicer_to_server(Detector(), server)
    port = server.add_insecure_port(address)
    server.start()
    print(f"listening at port {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()

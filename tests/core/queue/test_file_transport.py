import os
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest
from kombu import Connection

from core.queue.file_transport import Transport


@pytest.fixture
def connection(tmp_path: Path) -> Connection:
    options = {name: str(tmp_path) for name in ("data_folder_in", "data_folder_out", "control_folder")}
    return Connection("filesystem://", transport=Transport, transport_options=options)


class TestFileQueue:
    def test_is_the_transport_without_redis(self, tmp_path: Path) -> None:
        environment = os.environ | {"REDIS_URL": "", "RSOLV_DATA_DIR": str(tmp_path)}
        environment["DJANGO_SETTINGS_MODULE"] = "rsolv.settings.dev"
        ask = "from rsolv.celery import app; print(type(app.connection_for_write().transport).__module__)"
        command = [sys.executable, "-c", ask]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert answer.stdout.strip() == "core.queue.file_transport"

    def test_returns_the_message_that_was_put(self, connection: Connection) -> None:
        with connection.SimpleQueue("work") as queue:
            queue.put({"id": "1"})
            message = queue.get(timeout=2)
            message.ack()
        assert message.payload == {"id": "1"}

    def test_reader_never_reads_a_partial_message(self, connection: Connection) -> None:
        sent, got = 300, set[int]()
        reader, text = connection.channel(), "x" * 200_000

        def write() -> None:
            with connection.clone() as other, other.Producer() as producer:
                for number in range(sent):
                    producer.publish({"number": number, "text": text}, routing_key="work")

        thread = Thread(target=write)
        thread.start()
        while thread.is_alive() or len(got) < sent:
            if message := reader.basic_get("work", no_ack=True):
                got.add(message.payload["number"])
        assert got == set(range(sent))

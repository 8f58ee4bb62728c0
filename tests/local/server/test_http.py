"""HTTP: connections, bodies and what happens when a server stops."""

import http.client
import socket
import threading
import time

import pytest

from ddb_assets.local.answers import as_json
from ddb_assets.local.server import LocalServer, PortInUseError


def connect(server):
    """A plain HTTP connection."""
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)


def test_a_connection_is_kept_for_the_next_call(empty):
    """Three calls, one socket: an SDK that polls does not connect each time."""
    connection = connect(empty)
    connection.connect()
    sock = connection.sock
    for _ in range(3):
        connection.request("GET", "/_local/health")
        answer = connection.getresponse()
        assert answer.status == 200
        answer.read()
        assert connection.sock is sock
    connection.close()


def test_a_body_the_application_did_not_read_does_not_reach_the_next_request(empty):
    """The health endpoint refuses a body; the request behind it on the line is still understood."""
    connection = connect(empty)
    connection.request("POST", "/_local/nothing", body=b"GET /_local/clock HTTP/1.1\r\n\r\n" * 100)
    assert connection.getresponse().read()
    connection.request("GET", "/_local/health")
    assert connection.getresponse().status == 200
    connection.close()


def test_a_chunked_body_is_read_whole(empty):
    """Transfer-Encoding: chunked, as some SDKs send streams."""
    connection = connect(empty)
    connection.request("POST", "/_local/clock", body=iter([b'{"adv', b'ance": ', b"60}"]))
    answer = connection.getresponse()
    assert answer.status == 200, answer.read()
    answer.read()
    connection.request("GET", "/_local/health")
    assert connection.getresponse().status == 200
    connection.close()


def test_a_client_that_expects_100_continue_gets_exactly_one(empty):
    """The aws CLI waits for that line before it sends an object."""
    with socket.create_connection(("127.0.0.1", empty.port), timeout=10) as sock:
        sock.sendall(
            b"POST /_local/clock HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
            b"Content-Length: 15\r\nConnection: close\r\n\r\n"
        )
        first = sock.recv(25)
        assert first == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b'{"reset": true}')
        rest = b""
        while chunk := sock.recv(65536):
            rest += chunk
    assert rest.startswith(b"HTTP/1.1 200 ")
    assert b"100 Continue" not in rest


def test_a_content_length_that_is_no_number_is_a_bad_request(empty):
    """Not a hang and not a traceback."""
    with socket.create_connection(("127.0.0.1", empty.port), timeout=10) as sock:
        sock.sendall(b"POST /_local/clock HTTP/1.1\r\nHost: x\r\nContent-Length: ten\r\n\r\n")
        assert sock.recv(65536).startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("key", ["plain", "with space/é+%2F?&", "a//b/", "ünï/😀"])
def test_objects_and_their_lengths_come_back_as_they_went(empty, key):
    """PUT, GET, HEAD, a range and the empty object, with keys that need quoting."""
    s3 = empty.client("s3")
    s3.create_bucket(Bucket="some-bucket")
    body = bytes(range(256)) * 5000
    s3.put_object(Bucket="some-bucket", Key=key, Body=body)
    assert s3.get_object(Bucket="some-bucket", Key=key)["Body"].read() == body
    assert s3.head_object(Bucket="some-bucket", Key=key)["ContentLength"] == len(body)
    part = s3.get_object(Bucket="some-bucket", Key=key, Range="bytes=10-19")
    assert part["Body"].read() == body[10:20]
    assert part["ContentRange"] == f"bytes 10-19/{len(body)}"
    s3.put_object(Bucket="some-bucket", Key=key, Body=b"")
    assert s3.head_object(Bucket="some-bucket", Key=key)["ContentLength"] == 0
    s3.delete_object(Bucket="some-bucket", Key=key)


def test_calls_are_not_logged(empty, capfd, caplog):
    """Neither standard output nor standard error nor a logger hears of an ordinary call."""
    empty.client("dynamodb").list_tables()
    with pytest.raises(Exception, match="ResourceNotFound"):
        empty.client("dynamodb").describe_table(TableName="absent")
    assert capfd.readouterr() == ("", "")
    assert not [r for r in caplog.records if r.name.startswith(("werkzeug", "ddb_assets"))]


def test_a_port_in_use_is_one_sentence_that_names_it():
    """The port, and what to do."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"port {port} .* is in use") as refused:
            LocalServer(lambda _: as_json("200 OK", {}), port=port)
    assert "\n" not in str(refused.value)


def test_it_listens_on_the_loopback_address_only(empty):
    """The wildcard address would show the emulator to the whole network."""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", empty.port), timeout=5)


def test_stopping_lets_a_running_answer_finish_and_closes_idle_connections():
    """A call that is being answered gets its answer; a connection that only waits is closed."""
    entered, go_on = threading.Event(), threading.Event()

    def control(environ):
        if environ["PATH_INFO"] == "/_local/slow":
            entered.set()
            go_on.wait(10)
        return as_json("200 OK", {"done": True})

    server = LocalServer(control)
    server.start()
    idle = connect(server)
    idle.request("GET", "/_local/quick")
    idle.getresponse().read()
    slow = connect(server)
    slow.request("GET", "/_local/slow")
    assert entered.wait(10)
    threading.Timer(0.2, go_on.set).start()
    began = time.monotonic()
    server.stop()
    assert time.monotonic() - began < 4
    assert slow.getresponse().read() == b'{"done": true}\n'
    assert idle.sock.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=5)
    slow.close()
    idle.close()
    server.stop()  # a second stop changes nothing


def test_the_first_calls_of_many_clients_at_once_are_answered(empty):
    """Moto builds a service's application at its first call; twenty first calls come together."""
    calls = [
        ("dynamodb", "list_tables", {}),
        ("s3", "list_buckets", {}),
        ("glue", "get_databases", {}),
        ("athena", "list_work_groups", {}),
        ("sts", "get_caller_identity", {}),
    ]
    clients = [(empty.client(service), name, kwargs) for service, name, kwargs in calls * 4]
    together = threading.Barrier(len(clients))
    wrong = []

    def call(client, name, kwargs):
        together.wait(10)
        try:
            getattr(client, name)(**kwargs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            wrong.append((name, error))

    threads = [threading.Thread(target=call, args=each) for each in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert wrong == []
    assert not any(thread.is_alive() for thread in threads)

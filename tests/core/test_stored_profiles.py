"""The profile beside an export: who writes it, who reads it, who looks past it."""

import json

import pytest

from ddb_assets.core.operating.adopt import adopt
from ddb_assets.core.operating.retention import RetentionPolicy, prune, prune_plan
from ddb_assets.core.operating.rollback import rollback
from ddb_assets.core.outcome import Refreshed
from ddb_assets.errors import AccessDeniedError, ServiceUnavailableError
from ddb_assets.schema.profile import Profile, profile_of_lines

NAME = "ddb_assets-profile.json"
DAY = 86400.0


@pytest.fixture
def exported(world):
    """Publishes another export of the table `orders`, a day later."""
    spec = world.table("orders", typed_view="orders_typed")

    def publish(items=None, **options):
        if items is not None:
            world.aws.items["orders"] = items
        world.clock.sleep(DAY)
        world.aws.calls.clear()
        world.events.clear()
        run = options.pop("run", f"run-{len(world.aws.exports)}")
        return world.refresh(options.pop("spec", spec), run=run, **options)["orders"]

    publish.spec = spec
    return publish


def key_of(outcome):
    """Where the profile of an outcome's export lies."""
    root = outcome.manifest.location.removeprefix("s3://exports/").removesuffix("data/")
    return f"{root}{NAME}"


def test_it_lies_beside_the_data_and_names_its_export(world, exported):
    """Next to the manifests: what Athena reads is `data/` alone."""
    outcome = exported()
    content = json.loads(world.aws.objects[key_of(outcome)])
    assert content["export_arn"] == outcome.manifest.export_arn
    assert content["items"] == 2
    assert Profile.from_dict(content["profile"]) == outcome.profile


def test_it_is_encrypted_as_the_export_is(world, exported):
    """Names of attributes may be as private as values."""
    secret = world.spec("orders", sse_algorithm="KMS", kms_key_id="alias/exports")
    assert world.aws.encrypted[key_of(exported(spec=secret))] == {
        "sse_algorithm": "KMS",
        "kms_key_id": "alias/exports",
    }


def test_a_rollback_reads_no_item(world, exported):
    """The view is written from what was counted then; each file was read once in its life."""
    first, second = exported(), exported([{"userId": {"S": "a"}, "n": {"N": "0.5"}}])
    world.aws.calls.clear()
    outcome = rollback(exported.spec, gateways=world.aws.gateways, clock=world.clock)
    assert isinstance(outcome, Refreshed)
    assert outcome.manifest.export_arn == first.manifest.export_arn
    assert outcome.profile == first.profile
    assert outcome.previous == second.profile
    assert world.aws.count("stream") == 0
    assert world.aws.count("write") == 0


def test_a_rollback_to_an_export_without_a_profile_counts_as_it_is_told(world, exported):
    """An export that nobody counted is counted by whoever the caller brings: the C extension."""
    first = exported()
    exported()
    del world.aws.objects[key_of(first)]
    counted = []

    def profiling():
        def count(lines):
            counted.append(lines.count(b"\n"))
            return profile_of_lines(lines)

        return count

    outcome = rollback(
        exported.spec, gateways=world.aws.gateways, clock=world.clock, profiling=profiling
    )
    assert outcome.profile == first.profile
    assert sum(counted) == 2


def test_a_retry_reads_no_item_again(world, exported):
    """A run that died after counting left the profile for the next one."""
    world.aws.faults["create_table"].append(AccessDeniedError("no"))
    failed = exported(run="one")
    assert not isinstance(failed, Refreshed)
    assert world.aws.count("stream") == 3
    outcome = exported(run="one")
    assert isinstance(outcome, Refreshed)
    assert outcome.profile.items == 2
    assert world.aws.count("stream") == 0


def test_a_full_verification_reads_the_files_all_the_same(world, exported):
    """Their MD5 is what was asked for."""
    first = exported()
    exported()
    world.aws.calls.clear()
    arn = first.manifest.export_arn
    outcome = adopt(
        exported.spec,
        arn,
        gateways=world.aws.gateways,
        clock=world.clock,
        allow_older=True,
        verify="full",
    )
    assert outcome.profile == first.profile
    assert world.aws.count("stream") == 3


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"format":2}',
        ("export_arn", "arn:aws:dynamodb:us-east-1:1:table/orders/export/01767225600000-ffffffff"),
        ("items", 3),
        ("profile", {"version": 9}),
    ],
)
def test_what_is_not_this_exports_profile_is_written_anew(world, exported, broken):
    """Another version's, another export's, of other items, or no profile at all."""
    first = exported()
    key = key_of(first)
    right = world.aws.objects[key]
    if not isinstance(broken, bytes):
        name, value = broken
        broken = json.dumps({**json.loads(right), name: value}).encode()
    world.aws.put(key, broken)
    exported()
    outcome = rollback(exported.spec, gateways=world.aws.gateways, clock=world.clock)
    assert outcome.profile == first.profile
    assert world.aws.objects[key] == right


def test_names_that_utf8_cannot_hold_are_kept(world, exported):
    """JSON's escapes may name what is no character."""
    items = [{"userId": {"S": "a"}, "caf\u00e9 \ud800 \U0001f600": {"S": ""}}]
    first = exported(items)
    assert isinstance(first, Refreshed)
    exported()
    again = rollback(exported.spec, gateways=world.aws.gateways, clock=world.clock)
    assert again.profile == first.profile


def test_without_the_right_to_write_it_is_a_warning(world, exported):
    """The refresh is whole; the log says what to allow, and the next reader reads all items."""
    denied = AccessDeniedError("PutObject was refused", remedy="allow s3:PutObject on arn:x to me")
    world.aws.faults["write"].append(denied)
    outcome = exported()
    assert isinstance(outcome, Refreshed)
    assert outcome.profile.items == 2
    (told,) = [event for event in world.events if event.stage == "warned"]
    assert "PutObject was refused — allow s3:PutObject on arn:x to me" in told.message
    assert f'"s3:PutObject" on "arn:aws:s3:::exports/*/{NAME}"' in told.message
    exported()
    again = rollback(exported.spec, gateways=world.aws.gateways, clock=world.clock)
    assert again.profile == outcome.profile
    assert key_of(outcome) in world.aws.objects


def test_a_bucket_that_takes_nothing_holds_up_no_refresh(world, exported):
    """A minute of trying, then the table is published."""
    world.aws.faults["write"] += [ServiceUnavailableError("slow")] * 200
    outcome = exported()
    assert isinstance(outcome, Refreshed)
    assert outcome.timings.inferred_seconds <= 61
    assert [event.stage for event in world.events].count("warned") == 1


def test_it_is_pruned_with_its_export(world, exported):
    """Nothing of a deleted export stays behind."""
    outcomes = [exported() for _ in range(4)]
    policy = RetentionPolicy(keep_last=1, keep_days=0, rollback_days=0)
    plan = prune_plan(exported.spec, policy, gateways=world.aws.gateways, clock=world.clock)
    prune(plan, gateways=world.aws.gateways, clock=world.clock)
    left = {key for key in world.aws.objects if key.endswith(NAME)}
    assert left == {key_of(outcome) for outcome in outcomes[2:]}
    for outcome in outcomes[:2]:
        root = key_of(outcome).removesuffix(NAME)
        assert not [key for key in world.aws.objects if key.startswith(root)]


def test_what_is_not_inferred_is_not_kept(world, exported):
    """Nobody counted anything: with `infer: false`, and of an export without items."""
    unread = world.spec("orders", infer=False)
    assert exported(spec=unread).profile is None
    assert exported([]).profile is None
    assert not [key for key in world.aws.objects if key.endswith(NAME)]


def test_the_export_shown_before_is_compared_with(world, exported):
    """Its profile comes with the outcome, and the log says in which way the items changed."""
    first = exported()
    assert first.previous is None
    outcome = exported([{"userId": {"S": "a"}, "createAt": {"S": "now"}, "x": {"N": "1"}}])
    assert outcome.previous == first.profile
    told = [event.message for event in world.events if "differ" in event.message]
    assert told == [
        f"orders: its items differ from those of export {first.manifest.export_id}: "
        "1 new (x: N), 1 retyped (createAt: N -> N | S)"
    ]

from __future__ import annotations

import re

import jsonschema
import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema

OURS = "/api/v1/"


@pytest.fixture(scope="module")
def schema():
    GENERATOR_STATS.reset()
    return SchemaGenerator().get_schema(request=None, public=True)


def iter_operations(schema):
    for path, methods in schema["paths"].items():
        if path.startswith(OURS):
            for method, operation in methods.items():
                yield path, method, operation


def test_it_is_valid_openapi_3_1(schema):
    assert schema["openapi"].startswith("3.1")
    validate_schema(schema)


def test_nothing_had_to_be_guessed(schema):
    assert not GENERATOR_STATS._error_cache
    assert not GENERATOR_STATS._warn_cache


def test_every_endpoint_is_there_and_named(schema):
    names = {operation["operationId"] for _, _, operation in iter_operations(schema)}
    assert names == {
        "create_token",
        "delete_token",
        "list_narrations",
        "request_narration",
        "estimate_narration",
        "get_narration",
        "get_manifest",
        "get_captions",
        "get_audio",
        "get_job",
        "cancel_job",
        "retry_job",
    }


def test_every_error_is_problem_details(schema):
    for path, method, operation in iter_operations(schema):
        errors = {
            status: answer
            for status, answer in operation["responses"].items()
            if status.startswith("4") and status != "416"
        }
        assert errors, (path, method)
        for status, answer in errors.items():
            assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_every_endpoint_but_login_needs_somebody(schema):
    for path, method, operation in iter_operations(schema):
        schemes = {name for each in operation.get("security", []) for name in each}
        expected = set() if path.endswith("/token/") else {"knoxApiToken"}
        assert expected <= schemes, (path, method)
        assert ("401" in operation["responses"]) == bool(schemes)


def test_the_schema_is_served(client, db):
    response = client.get("/api/v1/schema/", headers={"accept": "application/json"})
    assert response.status_code == 200


def test_the_docs_page_keeps_the_content_security_policy(client, db):
    response = client.get("/api/v1/docs/")
    page = response.content.decode()
    assert "unsafe" not in response.headers["Content-Security-Policy"]
    assert "<style" not in page
    assert not re.search(r"\sstyle=|\son[a-z]+=", page)
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page, re.DOTALL)
    assert len(scripts) == 3
    for attributes, body in scripts:
        assert not body.strip()
        assert re.search(r'src="/(static|api)/', attributes), attributes
    script = client.get("/api/v1/docs/?script=")
    assert script.status_code == 200
    assert "/api/v1/schema/" in script.content.decode() or "schema" in script.content.decode()
    assert "javascript" in script.headers["Content-Type"]


def check_answer(schema, path, response, *, method="get"):
    """The body of an answer is what the schema says of it."""
    answer = schema["paths"][path][method]["responses"][str(response.status_code)]
    media_type = response.headers["Content-Type"].partition(";")[0]
    shape = {**answer["content"][media_type]["schema"], "components": schema["components"]}
    jsonschema.validate(response.json(), shape)
    return response.json()


def test_the_answers_are_what_the_schema_says(schema, as_owner, note, narration, track):
    base = "/api/v1/narrations/"
    body = {"source": "testapp.note", "object_id": str(note.pk), "language": "en"}
    requested = as_owner.post(base, body, format="json")
    job = check_answer(schema, base, requested, method="post")
    check_answer(schema, base, as_owner.post(base, {}, format="json"), method="post")
    assert check_answer(schema, base, as_owner.get(base))["results"]
    check_answer(schema, base, as_owner.get(base, {"state": "?"}))
    estimate = f"{base}estimate/"
    check_answer(schema, estimate, as_owner.get(estimate, body))
    one = base + "{uid}/"
    check_answer(schema, one, as_owner.get(f"{base}{narration.uid}/"))
    check_answer(schema, one, as_owner.get(f"{base}{track.uid}/"))
    check_answer(schema, "/api/v1/jobs/{uid}/", as_owner.get(job["url"]))
    cancel = "/api/v1/jobs/{uid}/cancel/"
    check_answer(schema, cancel, as_owner.post(f"{job['url']}cancel/"), method="post")
    check_answer(schema, cancel, as_owner.post(f"{job['url']}cancel/"), method="post")
    retry = "/api/v1/jobs/{uid}/retry/"
    check_answer(schema, retry, as_owner.post(f"{job['url']}retry/"), method="post")
    manifest = base + "{uid}/manifest/"
    check_answer(schema, manifest, as_owner.get(f"{base}{narration.uid}/manifest/"))

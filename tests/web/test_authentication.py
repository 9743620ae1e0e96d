"""Who a request is from: nobody, a customer, an admin; and a bad token is never nobody's."""

from datetime import timedelta

import pytest
from pydantic import SecretStr
from sqlmodel import select

from gateway.models import Customer, Principal
from gateway.models.principal import SYSTEM
from gateway.services import customers as customer_services
from gateway.web.tokens import mint

WHO = {"query": "{ who }"}


async def customers(runtime):
    async with runtime.database.read(SYSTEM) as session:
        return list((await session.exec(select(Customer))).all())


async def test_without_a_token_a_request_is_nobodys(http, runtime):
    assert (await http.post("/graphql", json=WHO)).json() == {"data": {"who": "nobody"}}
    assert (await http.post("/graphql", json=WHO, headers={"authorization": " "})).json() == {"data": {"who": "nobody"}}
    assert await customers(runtime) == []


async def test_a_customer_is_created_on_first_sight_and_known_from_then_on(http, runtime, bearer):
    headers = {"authorization": bearer("acme", name="Acme", fields={"plan": "pro"})}

    first = await http.post("/graphql", json=WHO, headers=headers)
    second = await http.get("/graphql", params=WHO, headers=headers)

    (customer,) = await customers(runtime)
    assert (customer.external_id, customer.name, customer.fields) == ("acme", "Acme", {"plan": "pro"})
    assert first.json() == second.json() == {"data": {"who": f"customer {customer.id}"}}


async def test_a_customer_is_known_only_as_long_as_nothing_of_it_has_changed(http, runtime, bearer):
    first, other = ({"authorization": bearer("acme", name=name)} for name in ("Acme", "Acme & Sons"))
    names, answers = [], []
    for headers in (first, first, other, first, first):
        answers.append((await http.post("/graphql", json=WHO, headers=headers)).json())
        names.append((await customers(runtime))[0].name)

    await customer_services.delete(runtime, Principal(is_admin=True), external_id="acme")
    after = (await http.post("/graphql", json=WHO, headers=first)).json()

    (customer,) = await customers(runtime)
    assert names == ["Acme", "Acme", "Acme & Sons", "Acme", "Acme"]
    assert answers == [answers[0]] * 5
    assert after == {"data": {"who": f"customer {customer.id}"}} != answers[0]


async def test_an_admin_is_no_customer_unless_the_token_names_one(http, runtime, bearer):
    admin = await http.post("/graphql", json=WHO, headers={"authorization": bearer(is_admin=True)})
    both = await http.post("/graphql", json=WHO, headers={"authorization": bearer("acme", is_admin=True)})

    (customer,) = await customers(runtime)
    assert admin.json() == {"data": {"who": "admin"}}
    assert both.json() == {"data": {"who": f"admin {customer.id}"}}


@pytest.mark.parametrize("scheme", ["bearer ", "BEARER ", "Bearer   "])
async def test_the_scheme_has_no_case(http, bearer, scheme):
    headers = {"authorization": scheme + bearer(is_admin=True).removeprefix("Bearer ")}

    assert (await http.post("/graphql", json=WHO, headers=headers)).json() == {"data": {"who": "admin"}}


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        ("Bearer", "The Authorization header must read `Bearer <token>`."),
        ("Basic YTpi", "The Authorization header must read `Bearer <token>`."),
        ("token", "The Authorization header must read `Bearer <token>`."),
        (
            "Bearer made.up.token",
            "The token is not one that this gateway signed. Send `Authorization: Bearer <token>` with a token made by `gateway token`.",
        ),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_token_that_does_not_hold_is_refused_and_not_taken_for_nobody(http, runtime, authorization, message, method):
    asked = {"params": WHO} if method == "GET" else {"json": WHO}

    response = await http.request(method, "/graphql", headers={"authorization": authorization}, **asked)

    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert response.json() == {"errors": [{"message": message, "extensions": {"code": "NOT_AUTHENTICATED"}}]}
    assert await customers(runtime) == []


async def test_a_token_is_refused_from_the_second_in_which_it_expires(http, bearer, clock):
    headers = {"authorization": bearer("acme", expires_in=timedelta(seconds=60))}

    clock.advance(59)
    assert (await http.post("/graphql", json=WHO, headers=headers)).status_code == 200
    clock.advance(1)
    assert (await http.post("/graphql", json=WHO, headers=headers)).status_code == 401


async def test_two_tokens_are_one_too_many(http, bearer):
    headers = [("authorization", bearer("acme")), ("authorization", bearer(is_admin=True))]

    response = await http.post("/graphql", json=WHO, headers=headers)

    assert response.status_code == 401
    assert response.json()["errors"][0]["message"] == "The request has several Authorization headers. Send one."


async def test_a_token_of_another_gateway_is_refused(http):
    foreign = mint(SecretStr("the-secret-of-another-gateway-altogether"), customer_external_id="acme")

    assert (await http.post("/graphql", json=WHO, headers={"authorization": f"Bearer {foreign}"})).status_code == 401

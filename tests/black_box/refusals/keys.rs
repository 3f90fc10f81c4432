//! Keys: replaced owner keys, node keys and what they may not do.

use ddt_contracts::accounts::{
    GrantNodeKey, NodeRole, RevokeNodeKey, RotateKey, TopUpNodeKey, possession_digest,
};
use ddt_ledger::PublicKey;
use ddt_ledger::event::Role;
use ddt_ledger::schema::Bytes;

use crate::scene::{Scene, apt};
use crate::support::signer::{Signer, payment};

fn rotation(signer: &Signer, next: &Signer, signed_by: &Signer) -> RotateKey {
    let new_key = next.key.public();
    let digest = possession_digest(&signer.account, &new_key);
    let possession = Bytes::new(signed_by.key.sign(&digest).0.to_vec()).unwrap();
    RotateKey { new_key, possession }
}

// Broken by: a replaced key that still signs, or a new one whose holder was never asked.
#[test]
fn a_replaced_key_signs_nothing_more() {
    let scene = Scene::new();
    let alice = &scene.alice;
    let next = alice.stranger(5);
    let code = "accounts.possession";
    let stolen = alice.event(&rotation(alice, &next, alice));
    scene.expect_refused_receipt(code, alice, &stolen);
    let short = RotateKey { new_key: next.key.public(), possession: Bytes::default() };
    scene.expect_refused_receipt(code, alice, &alice.event(&short));
    let same = alice.event(&rotation(alice, alice, alice));
    scene.expect_refused_receipt("ledger.same_key", alice, &same);

    let prepared = alice.pay(&scene.bob.account, "1");
    scene.expect_receipt("done", &alice.event(&rotation(alice, &next, &next)));
    scene.expect_refusal("event.key", &alice.pay(&scene.bob.account, "1"));
    scene.expect_refusal("event.key", &prepared);
    let cli = scene.network.ddt(&["wallet", "send", "1", "bob", "--from", "alice"]);
    assert_eq!(cli.refusal(), (3, "event.key".to_string()));
    let renewed = Signer { account: alice.account, ..next };
    scene.expect_receipt("done", &renewed.pay(&scene.bob.account, "1"));
    assert_eq!(scene.balance(&scene.bob), apt("1000001"));
    // The new key opens no account of its own by signing.
    let own = renewed.stranger(5);
    scene.expect_refusal("event.account", &own.pay(&scene.bob.account, "1"));
}

fn grant(key: PublicKey, allowance: &str) -> GrantNodeKey {
    GrantNodeKey { role: NodeRole::Node, key, allowance: apt(allowance) }
}

// Broken by: a node key that moves coins, spends past its allowance, or outlives its end.
#[test]
fn a_node_key_moves_no_coins() {
    let scene = Scene::new();
    let alice = &scene.alice;
    let hot = alice.stranger(6);
    let key = hot.key.public();
    let top_up = |amount: &str| alice.event(&TopUpNodeKey { key, amount: apt(amount) });
    let revoke = || alice.event(&RevokeNodeKey { key });
    scene.expect_refused_receipt("ledger.no_duty", alice, &top_up("1"));
    scene.expect_refused_receipt("ledger.no_duty", alice, &revoke());
    let rich = alice.event(&grant(key, "5000000"));
    scene.expect_refused_receipt("ledger.insufficient_funds", alice, &rich);
    scene.expect_receipt("done", &alice.event(&grant(key, "0.0001")));
    scene.expect_refused_receipt("ledger.duty_exists", alice, &alice.event(&grant(key, "1")));

    let as_node = |role: Role, event: &ddt_contracts::domains::Reveal| {
        let mut draft = hot.draft(event);
        (draft.author, draft.role) = (alice.account, role);
        hot.sign(draft)
    };
    let stray = alice.purchase("never-committed", 3, "60").reveal;
    let mut theft = hot.draft(&payment(&scene.bob.account, "1"));
    theft.author = alice.account;
    scene.expect_refusal("event.key", &hot.sign(theft.clone()));
    theft.role = Role::Node;
    scene.expect_refusal("event.role", &hot.sign(theft));
    scene.expect_refusal("event.fee", &as_node(Role::Node, &stray));
    scene.expect_refusal("event.key", &as_node(Role::Router, &stray));
    scene.expect_receipt("done", &top_up("1"));
    let before = scene.balance(alice);
    scene.expect_receipt("domains.no_commit", &as_node(Role::Node, &stray));
    assert_eq!(scene.balance(alice), before, "the allowance paid, not the account");
    scene.expect_receipt("done", &revoke());
    scene.expect_refusal("event.key", &as_node(Role::Node, &stray));
    scene.expect_refused_receipt("ledger.duty_exists", alice, &alice.event(&grant(key, "1")));
}

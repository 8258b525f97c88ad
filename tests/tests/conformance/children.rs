//! What a continuation reads of the jobs that it continues.

use flyball::job::{ChildRecord, Completion, ErrorClass, JobState, Json, Verdict};
use flyball::store::ChildrenPage;

use crate::barriers::{Family, cancel};
use crate::world::{World, failed, promises};

promises! {
    children_are_read_in_the_order_in_which_they_were_asked_for_with_what_they_came_to
    a_page_of_children_is_bounded_in_number_and_in_bytes
    a_run_without_a_barrier_has_no_children_to_read
}

async fn read(world: &World, family: &Family, offset: u32, limit: u32) -> Vec<ChildRecord> {
    let page = ChildrenPage { parent: family.parent, run: family.run, offset, limit };
    world.store.children(&page).await.unwrap()
}

fn returns(text: &str) -> Verdict {
    let output = Some(Json::parse(text, 2 << 20).unwrap());
    Verdict::Completed(Completion { output, ..Completion::default() })
}

async fn children_are_read_in_the_order_in_which_they_were_asked_for_with_what_they_came_to(world: World) {
    let family = Family::of(&world, 4).await;
    let mut claims = world.claim(family.node, 3).await;
    claims.sort_by_key(|claim| claim.job);
    for (claim, end) in claims.into_iter().zip([
        returns(r#"{"b":1.50}"#),
        failed(ErrorClass::Permanent),
        Verdict::Completed(Completion::default()),
    ]) {
        world.end(claim, end).await;
    }
    cancel(&world, family.children[3]).await;
    let read = read(&world, &family, 0, 9).await;
    let ids: Vec<_> = read.iter().map(|child| child.id).collect();
    assert_eq!(ids, family.children);
    let told: Vec<_> = read
        .iter()
        .map(|child| {
            let output = child.output.as_ref().map(|output| output.as_str());
            (child.state, child.attempt, output, child.error_class, child.error_message.as_deref())
        })
        .collect();
    assert_eq!(
        told,
        [
            (JobState::Succeeded, 1, Some(r#"{"b":1.5}"#), None, None),
            (JobState::Discarded, 1, None, Some(ErrorClass::Permanent), Some("no")),
            (JobState::Succeeded, 1, None, None, None),
            (JobState::Cancelled, 0, None, None, None),
        ]
    );
}

async fn a_page_of_children_is_bounded_in_number_and_in_bytes(world: World) {
    let family = Family::of(&world, 250).await;
    let large = format!("\"{}\"", "x".repeat(700_000));
    let mut claims = world.claim(family.node, 250).await;
    claims.sort_by_key(|claim| claim.job);
    let settlements: Vec<_> = claims
        .into_iter()
        .enumerate()
        .map(|(n, claim)| world.settle(claim, returns(if n < 3 { &large } else { "1" })))
        .collect();
    world.store.finalize(&settlements, world.now()).await.unwrap();
    let (mut pages, mut all) = (Vec::new(), Vec::new());
    loop {
        let offset = u32::try_from(all.len()).unwrap();
        let page = read(&world, &family, offset, u32::MAX).await;
        if page.is_empty() {
            break;
        }
        pages.push(page.len());
        all.extend(page.into_iter().map(|child| child.id));
    }
    assert_eq!(pages, [1, 1, 100, 100, 48]);
    assert_eq!(all, family.children);
    assert_eq!(read(&world, &family, 3, 2).await.len(), 2);
    assert_eq!(read(&world, &family, u32::MAX, u32::MAX).await, []);
    assert_eq!(read(&world, &family, 0, 0).await, []);
}

async fn a_run_without_a_barrier_has_no_children_to_read(world: World) {
    let (_, claim) = world.running().await;
    let follow_ups = vec![world.job(|opts| opts.lineage = claim.child_lineage())];
    let page = ChildrenPage { parent: claim.job, run: claim.run, offset: 0, limit: 9 };
    world.end(claim, Verdict::Completed(Completion { follow_ups, ..Completion::default() })).await;
    assert_eq!(world.store.children(&page).await.unwrap(), []);
}

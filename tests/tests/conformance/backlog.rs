//! A claim does not mind what it cannot take: the pages that it touches, or the instructions that it takes, are those
//! of a claim that has nothing beside it.

use flyball::store::backlog::{self, Fill, Sort};

use crate::world::{World, promises, served};

promises! {
    a_claim_does_not_mind_rows_that_it_cannot_take
}

/// Of each sort; a hundred thousand and more together.
const ROWS: u32 = 15_000;

async fn a_claim_does_not_mind_rows_that_it_cannot_take(world: World) {
    let node = world.node().await;
    let fill = async |sort, rows| {
        backlog::fill(&world.url, &Fill { sort, rows, lanes: 3, now: world.now() }).await.expect("filled");
        backlog::settle(&world.url).await.expect("tidied");
    };
    let effort = async |jobs: usize| {
        let mut request = world.request(node, jobs);
        request.kinds = ["work", "held0", "held1", "held2"].map(served).into();
        backlog::effort(&world.url, &request, world.now()).await.expect("told").total()
    };
    fill(Sort::Ready, 1000).await;
    let alone = effort(100).await;
    let mut before = alone;
    for sort in Sort::BACKLOG {
        fill(sort, ROWS).await;
        let now = effort(100).await;
        println!("{}: {now} beside {ROWS} more, {before} before", sort.name());
        // Three lanes more to pass over, and trees that are higher by a page.
        assert!(now * 2 <= before * 3, "{}: {now} and not {before}", sort.name());
        before = now;
    }
    assert!(before <= alone * 2, "{before} beside all of them, {alone} beside none");
}

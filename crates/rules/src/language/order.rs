//! Puts things that name each other in an order, without recursion.

/// An order in which each node comes behind those it names, and the nodes that can have no place in it: of
/// each loop the node whose edge closes it.
pub(super) struct Order {
    pub(super) order: Vec<usize>,
    pub(super) loops: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    Open,
    Done,
}

/// Orders the nodes `0..edges.len()`; `edges` has for each node those it names.
pub(super) fn order(edges: &[Vec<usize>]) -> Order {
    let mut result = Order { order: Vec::with_capacity(edges.len()), loops: Vec::new() };
    let mut states = vec![State::New; edges.len()];
    for root in 0..edges.len() {
        // A node and how many of its edges have been followed.
        let mut path = vec![(root, 0)];
        while let Some((node, next)) = path.pop() {
            let Some(state) = states.get_mut(node) else { continue };
            if *state == State::Done {
                continue;
            }
            *state = State::Open;
            match edges.get(node).and_then(|edges| edges.get(next)) {
                None => {
                    *state = State::Done;
                    result.order.push(node);
                }
                Some(&target) => {
                    path.push((node, next + 1));
                    match states.get(target) {
                        Some(State::New) => path.push((target, 0)),
                        Some(State::Open) if result.loops.last() != Some(&node) => result.loops.push(node),
                        _ => {}
                    }
                }
            }
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_comes_first() {
        let order = order(&[vec![1, 2], vec![2], vec![], vec![0]]);
        assert_eq!(order.order, [2, 1, 0, 3]);
        assert!(order.loops.is_empty());
    }

    #[test]
    fn loops_are_found_where_they_close() {
        assert_eq!(order(&[vec![1], vec![2], vec![0]]).loops, [2]);
        assert_eq!(order(&[vec![0]]).loops, [0]);
    }

    #[test]
    fn a_long_chain_needs_no_stack() {
        let edges: Vec<_> =
            (0..1_000_000).map(|node| if node == 0 { vec![] } else { vec![node - 1] }).collect();
        assert_eq!(order(&edges).order.len(), 1_000_000);
    }
}

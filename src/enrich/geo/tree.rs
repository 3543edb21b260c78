//! Tree: how many networks a database has. Its metadata only says how many nodes its tree has.

use maxminddb::Metadata;

/// The records of the tree that lead to data: one for each network. The tree stands at the start of the bytes.
pub fn networks(bytes: &[u8], metadata: &Metadata) -> u64 {
    let (nodes, size) = (metadata.node_count, usize::from(metadata.record_size) / 4);
    let tree = usize::try_from(nodes).ok().and_then(|nodes| bytes.get(..nodes.checked_mul(size)?));
    let is_data = |record: &[u8], high: u8| {
        record.iter().fold(u32::from(high), |number, byte| number << 8 | u32::from(*byte)) > nodes
    };
    let of_node = |node: &[u8]| {
        let half = size / 2;
        let (left, right) = (&node[..half], &node[size - half..]);
        // With 28 bits a record, the byte between the two has the highest bits of both.
        let high = if size % 2 == 1 { node[half] } else { 0 };
        u64::from(is_data(left, high >> 4)) + u64::from(is_data(right, high & 15))
    };
    let nodes = tree.filter(|_| size > 0).into_iter().flat_map(|tree| tree.chunks_exact(size));
    nodes.map(of_node).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use maxminddb::Reader;

    #[test]
    fn a_tree_of_one_network() {
        let bytes = super::super::writer::write("GeoLite2-City", "203.0.113.0/24", "{}");
        let metadata = Reader::from_source(&bytes[..]).unwrap().metadata().clone();
        assert_eq!((metadata.node_count, networks(&bytes, &metadata)), (24, 1));
        assert_eq!(networks(&bytes[..9], &metadata), 0);
    }

    #[test]
    fn records_of_every_size() {
        let bytes = super::super::writer::write("x", "203.0.113.0/24", "{}");
        let mut metadata = Reader::from_source(&bytes[..]).unwrap().metadata().clone();
        (metadata.node_count, metadata.record_size) = (1, 28);
        // The half bytes in the middle are the highest: those of the left record first.
        assert_eq!(networks(&[0, 0, 1, 0x01, 0, 0, 1], &metadata), 1);
        assert_eq!(networks(&[0, 0, 1, 0x10, 0, 0, 17], &metadata), 2);
        metadata.record_size = 32;
        assert_eq!(networks(&[0, 0, 0, 1, 0, 0, 0, 17], &metadata), 1);
    }
}

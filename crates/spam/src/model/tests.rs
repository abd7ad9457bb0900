//! The model's file and its table.

use super::*;

#[test]
fn a_file_is_read_back() {
    let mut model = Model::of(vec![(7 << 40, 1.5), (9 << 50, -0.25), (u64::MAX, 3.0)], 0.5);
    model.set_calibration(Calibration {
        slope: 2.0,
        offset: -1.0,
    });
    model.set_common(vec![(1 << 35, 0.5)]);
    let bytes = model.to_bytes();
    let read = Model::from_bytes(&bytes).unwrap();
    assert_eq!(read.to_bytes(), bytes);
    assert!((read.weights.get(key(7 << 40)).unwrap() - 1.5).abs() < 1e-3);
    assert_eq!(read.weights.get(12), None);
    assert!((read.commonness(1 << 35) - 0.5).abs() < 1e-4);
}

#[test]
fn what_is_no_model_is_refused() {
    let bytes = Model::of(vec![(7 << 40, 1.5)], 0.5).to_bytes();
    for cut in 0..bytes.len() {
        assert!(Model::from_bytes(&bytes[..cut]).is_err(), "{cut}");
    }
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Model::from_bytes(&longer).is_err());
}

import numpy as np

from modicum.routing.sparse_rows import SparseRows, pack_rows

ROWS = pack_rows(
    [(np.array([0, 3]), np.array([1.0, 2.0])), (np.array([], int), np.array([])), (np.array([3]), np.array([4.0]))], 4
)
DENSE = np.array([[1, 0, 0, 2], [0, 0, 0, 0], [0, 0, 0, 4]], float)


def dense(rows: SparseRows):
    made = np.zeros((len(rows), rows.width))
    made[rows.row_of, rows.columns] = rows.values
    return made


def test_products_are_those_of_the_dense_rows():
    assert np.allclose(ROWS.times(np.arange(4.0)), DENSE @ np.arange(4.0))
    assert np.allclose(ROWS.transposed_times(np.array([1.0, 5.0, 2.0])), DENSE.T @ [1, 5, 2])


def test_transposed_and_taken_rows_hold_the_same_values():
    assert np.allclose(dense(ROWS.by_column()), DENSE.T)
    assert np.allclose(dense(ROWS.take(np.array([2, 0]))), DENSE[[2, 0]])


def test_scaled_rows_have_length_one_and_an_empty_one_stays_empty():
    scaled = dense(ROWS.scaled(np.array([1, 1, 1, 2], np.float32)))

    assert np.allclose(np.linalg.norm(scaled, axis=1), [1, 0, 1])
    assert np.allclose(scaled[0], np.array([1, 0, 0, 4]) / 17**0.5)


def test_no_rows_are_rows_too():
    assert len(pack_rows([], 4)) == 0


def test_columns_that_nobody_needs_are_left_out_and_the_others_stay_in_order():
    assert dense(ROWS.narrow(np.array([1, 3]))).tolist() == DENSE[:, [1, 3]].tolist()

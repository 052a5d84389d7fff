package floor_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"github.com/drawbridge-soar/drawbridge/store/sqlite"
	"github.com/drawbridge-soar/drawbridge/store/sqlite/floor"
)

func TestInsert(t *testing.T) {
	load := sqlite.Stats{Transactions: 3, Batches: 5, Rows: 10, Bytes: 1000}
	for _, table := range []floor.Table{floor.Keyed, floor.Appended} {
		dir := t.TempDir()
		took, err := floor.Insert(t.Context(), dir, table, load, 2)
		if err != nil || took <= 0 {
			t.Fatalf("got %v, %v", took, err)
		}
		db, err := sql.Open("sqlite3", filepath.Join(dir, "floor.db"))
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var rows, runs, bytes int64
		const figures = "SELECT count(*), count(DISTINCT run), sum(length(data) + 16) FROM row"
		if err := db.QueryRowContext(t.Context(), figures).Scan(&rows, &runs, &bytes); err != nil {
			t.Fatal(err)
		}
		if rows != load.Rows || runs != 2 || bytes != load.Bytes {
			t.Errorf("%d rows of %d runs with %d bytes", rows, runs, bytes)
		}
	}
}

func TestInsertNonsense(t *testing.T) {
	for _, load := range []sqlite.Stats{{}, {Transactions: 2, Rows: 1}, {Transactions: -1, Rows: 1}} {
		if _, err := floor.Insert(t.Context(), t.TempDir(), floor.Keyed, load, 1); err == nil {
			t.Errorf("%+v was measured", load)
		}
	}
}

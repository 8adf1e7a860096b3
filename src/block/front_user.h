// Who uses a block::Front, and who has borrowed memory of its medium. Both stand in lists of the
// Front once, however many requests they have under way, so that no I/O pays for it.
#pragma once

#include <string>

#include "base/bytes.h"
#include "block/range.h"
#include "engine/task.h"
#include "lunar/list.h"

namespace lunar::block {

// A user of a Front: a logical unit, a namespace, a copy. One shard. Leaves the Front's list when
// it is destroyed; by then its requests have ended and its write windows are closed.
class FrontUser : public ListHook {
 public:
  // Front::write_window() leases memory of the medium, which changes as data come in, before
  // anything is submitted. A lease ends when the write that it is for has ended, or will never be
  // submitted and gets no more data, or has all of its data and waits for something else. Completes
  // when the user holds no lease that overlaps the range. It gets no new one meanwhile.
  virtual engine::Task<void> leases_ended(Range range) = 0;
  // For the log: "LUN 0 of iqn…". Empty: nothing to say.
  [[nodiscard]] virtual std::string name() = 0;

 protected:
  ~FrontUser() = default;
};

// Who still sends, or otherwise reads, memory that the medium has lent to a read (kLend).
class Borrower {
 public:
  // This memory is about to change, which must not show in what has still to be sent: copies what
  // of it that is, at once.
  virtual void keep_lent_data(Bytes memory) = 0;

 protected:
  ~Borrower() = default;
};

// A borrower's place in the list of a Front, for all of its loans: from before the first read with
// kLend until the last of the data has been sent. One shard.
struct Borrowing : ListHook {
  explicit Borrowing(Borrower& whose) : borrower(whose) {}
  Borrower& borrower;
};

}  // namespace lunar::block

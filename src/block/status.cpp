#include "lunar/block/status.h"

#include "lunar/block/request.h"

namespace lunar::block {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::ok: return "ok";
    case Status::aborted: return "aborted";
    case Status::out_of_range: return "out of range";
    case Status::write_protected: return "write protected";
    case Status::not_ready: return "not ready";
    case Status::gone: return "gone";
    case Status::no_space: return "no space";
    case Status::read_error: return "read error";
    case Status::write_error: return "write error";
    case Status::hardware_error: return "hardware error";
    case Status::miscompare: return "miscompare";
    case Status::unsupported: return "unsupported";
    case Status::busy: return "busy";
  }
  return "unknown status";
}

std::string_view to_string(Op op) {
  switch (op) {
    case Op::read: return "read";
    case Op::write: return "write";
    case Op::flush: return "flush";
    case Op::unmap: return "unmap";
    case Op::write_zeroes: return "write_zeroes";
    case Op::write_same: return "write_same";
    case Op::compare: return "compare";
  }
  return "unknown op";
}

}  // namespace lunar::block

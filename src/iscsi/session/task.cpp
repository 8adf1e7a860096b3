#include "iscsi/session/task.h"

#include <cassert>
#include <utility>

namespace lunar::iscsi {

void Task::reset_all() {
  reset();
  wanted_out_bytes = next_r2t_offset = r2t_sn = data_in_pdus = 0;
  windowed = held = prepared = executing = outcome_known = transfer_failed = dropped = managed =
      end_deferred = false;
  expects_unsolicited = false;
  unsolicited = {};
  first_sequence = sequence_count = 0;
  gone = nullptr;
}

Task& TaskPool::take() {
  Task& task = pool_.take();
  in_use_.increment();
  return task;
}

void TaskPool::give_back(Task& task) {
  assert(!static_cast<engine::Runnable&>(task).is_linked());
  task.release_memory();
  task.spill.reset();
  task.kept.reset();
  pool_.give_back(task);
  in_use_.decrement();
}

Task* TaskTable::find(std::uint32_t initiator_task_tag) const {
  Task* task = buckets_[bucket_of(initiator_task_tag)];
  while (task != nullptr && task->initiator_task_tag != initiator_task_tag)
    task = task->next_in_bucket;
  return task;
}

void TaskTable::insert(Task& task) {
  Task*& head = buckets_[bucket_of(task.initiator_task_tag)];
  task.next_in_bucket = head;
  head = &task;
}

void TaskTable::remove(Task& task) {
  Task** link = &buckets_[bucket_of(task.initiator_task_tag)];
  while (*link != &task) link = &(*link)->next_in_bucket;
  *link = task.next_in_bucket;
}

}  // namespace lunar::iscsi

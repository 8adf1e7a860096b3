// Intrusive lists: the links live in the elements, so queueing never allocates. Not thread-safe.
#pragma once

#include <cassert>
#include <cstddef>

namespace lunar {

// Makes an element fit for one List at a time. Unlinks itself when destroyed.
struct ListHook {
  ListHook* previous = nullptr;
  ListHook* next = nullptr;

  ListHook() = default;
  ListHook(const ListHook&) = delete;
  ListHook& operator=(const ListHook&) = delete;
  ~ListHook() { unlink(); }

  [[nodiscard]] bool is_linked() const { return next != nullptr; }
  void unlink() {
    if (next == nullptr) return;
    previous->next = next;
    next->previous = previous;
    previous = next = nullptr;
  }
};

// Doubly linked, circular list. Every operation is O(1), except size() and clear(): O(n).
// T derives from ListHook. An element in several lists has one base class per list: `Hook`.
template <class T, class Hook = ListHook>
class List {
 public:
  List() { head_.previous = head_.next = &head_; }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() { clear(); }

  [[nodiscard]] bool empty() const { return head_.next == &head_; }
  [[nodiscard]] T& front() { return element(head_.next); }
  [[nodiscard]] T& back() { return element(head_.previous); }
  void push_back(T& item) { insert(static_cast<Hook&>(item), head_.previous, &head_); }
  void push_front(T& item) { insert(static_cast<Hook&>(item), &head_, head_.next); }
  void insert_before(T& position, T& item) {
    ListHook& at = static_cast<Hook&>(position);
    insert(static_cast<Hook&>(item), at.previous, &at);
  }
  T& pop_front() {
    T& item = front();
    static_cast<Hook&>(item).unlink();
    return item;
  }
  // Moves all elements of `other` to the end of this list.
  void splice_back(List& other) {
    if (other.empty()) return;
    other.head_.next->previous = head_.previous;
    head_.previous->next = other.head_.next;
    other.head_.previous->next = &head_;
    head_.previous = other.head_.previous;
    other.head_.previous = other.head_.next = &other.head_;
  }
  void clear() {
    while (!empty()) pop_front();
  }

  class Iterator {
   public:
    explicit Iterator(ListHook* at) : at_(at), next_(at->next) {}
    T& operator*() const { return element(at_); }
    // Survives the unlinking of the element that it points at.
    Iterator& operator++() {
      at_ = next_;
      next_ = at_->next;
      return *this;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    ListHook* at_;
    ListHook* next_;
  };
  Iterator begin() { return Iterator(head_.next); }
  Iterator end() { return Iterator(&head_); }
  [[nodiscard]] std::size_t size() const {
    std::size_t count = 0;
    for (const ListHook* at = head_.next; at != &head_; at = at->next) ++count;
    return count;
  }

 private:
  static T& element(ListHook* hook) { return static_cast<T&>(static_cast<Hook&>(*hook)); }
  static void insert(ListHook& item, ListHook* previous, ListHook* next) {
    assert(!item.is_linked());
    item.previous = previous;
    item.next = next;
    previous->next = &item;
    next->previous = &item;
  }

  ListHook head_;
};

}  // namespace lunar

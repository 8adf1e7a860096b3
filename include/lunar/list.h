// Lists whose links live in the elements: no allocation to queue a thing. Not thread-safe.
#pragma once

#include <cassert>
#include <cstddef>

namespace lunar {

// A member of an element that can stand in one List at a time.
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

// Doubly linked, circular, unordered by itself; every operation is O(1) but size().
// T derives from ListHook, or from a class derived from it by `Hook`.
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
  // Moves all of `other` behind what is here.
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
    // The element under the iterator may be unlinked meanwhile.
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

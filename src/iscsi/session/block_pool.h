// Memory for objects of one kind of one shard: grows in blocks to what is in use, and gives back
// what is not used any more when it is asked to.
#pragma once

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace lunar::iscsi {

// `Next`: the member that links an object with others that are free. Objects are made once, and
// used again as they were left. Throws std::bad_alloc from take() when it cannot grow.
template <class T, T* T::* Next>
class BlockPool {
 public:
  static constexpr std::size_t kBlock = 64;
  // Objects that trim() leaves for what comes next.
  static constexpr std::size_t kSpare = 8 * kBlock;

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  T& take() {
    if (free_ == nullptr) [[unlikely]]
      grow();
    return *std::exchange(free_, free_->*Next);
  }
  void give_back(T& object) {
    object.*Next = std::exchange(free_, &object);  // the warmest first
  }
  [[nodiscard]] std::size_t size() const { return blocks_.size() * kBlock; }
  // Not for the I/O path, both: they look at all free objects.
  [[nodiscard]] std::size_t in_use() const { return size() - count_free(); }
  // Frees blocks of which nothing is in use.
  void trim();

 private:
  [[nodiscard]] std::size_t count_free() const {
    std::size_t count = 0;
    for (const T* object = free_; object != nullptr; object = object->*Next) ++count;
    return count;
  }
  void grow() {
    blocks_.push_back(std::make_unique<T[]>(kBlock));
    for (std::size_t i = kBlock; i != 0; --i) give_back(blocks_.back()[i - 1]);
  }

  std::vector<std::unique_ptr<T[]>> blocks_;
  T* free_ = nullptr;
};

template <class T, T* T::* Next>
void BlockPool<T, Next>::trim() {
  if (size() < kSpare + kBlock) return;
  std::size_t left = count_free();
  if (left < kSpare + kBlock) return;
  std::ranges::sort(blocks_, std::less<>(), [](const auto& block) { return block.get(); });
  const auto block_of = [this](const T* object) {
    const auto after = std::ranges::upper_bound(blocks_, object, std::less<>(),
                                                [](const auto& block) { return block.get(); });
    return static_cast<std::size_t>(after - blocks_.begin()) - 1;
  };
  std::vector<std::size_t> free_in(blocks_.size());
  for (T* object = free_; object != nullptr; object = object->*Next) ++free_in[block_of(object)];
  // Decided from the highest address down, which the allocator can give back most easily.
  std::vector<bool> goes(blocks_.size());
  for (std::size_t i = blocks_.size(); i != 0 && left >= kSpare + kBlock; --i) {
    if (free_in[i - 1] != kBlock) continue;
    goes[i - 1] = true;
    left -= kBlock;
  }
  T** link = &free_;
  for (T* object = free_; object != nullptr; object = object->*Next) {
    if (goes[block_of(object)]) continue;
    *link = object;
    link = &(object->*Next);
  }
  *link = nullptr;
  std::size_t kept = 0;
  for (std::size_t i = 0; i < blocks_.size(); ++i) {
    if (!goes[i]) std::swap(blocks_[kept++], blocks_[i]);
  }
  blocks_.resize(kept);
}

}  // namespace lunar::iscsi

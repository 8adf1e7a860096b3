// TCP of the kernel, through sockets and io_uring.
#pragma once

#include "engine/network.h"
#include "engine/uring_driver.h"

namespace lunar::engine {

class UringNetwork final : public Network {
 public:
  explicit UringNetwork(UringDriver& driver) : driver_(driver) {}

  Result<std::unique_ptr<Listener>> open_listener(const Endpoint& at,
                                                  const ListenOptions& options) override;
  std::unique_ptr<Stream> adopt(std::unique_ptr<Socket> socket) override;

 private:
  UringDriver& driver_;
};

}  // namespace lunar::engine

"""The target under test, and the nexuses that reach it."""

import re
import shutil
import tempfile
from pathlib import Path

from lunar_e2e.daemon import SLOWNESS, Daemon
from lunar_e2e.initiator import GOOD, Session

from .configuration import Configuration, NexusOptions, qualified
from .numbers import TextError
from .sense import Sense

UNIT_ATTENTION = 6


class HoldingSession(Session):
    """A session that can hold back the data of a write. release() answers the R2Ts."""

    def __init__(self, *arguments, **options):
        self.held = {}  # received R2Ts by task tag
        super().__init__(*arguments, **options)

    def _on_r2t(self, pdu):
        if pdu.initiator_task_tag in self.held:
            self.held[pdu.initiator_task_tag].append(pdu)
        else:
            super()._on_r2t(pdu)

    def release(self, task):
        for pdu in self.held.pop(task.tag, ()):
            super()._on_r2t(pdu)


class Nexus:
    """A named I_T nexus. Logs in when first needed and clears the unit attentions of a new nexus. A
    `login` step leaves these to the case."""

    def __init__(self, options: NexusOptions, target: "Target"):
        self.options, self.target = options, target
        self.session = None
        self.settled = set()  # LUNs whose unit attentions have been cleared

    def login(self):
        self.drop()
        self.session = HoldingSession(
            self.target.address(self.options.portal), target=self.target.iqn(self.options.target),
            initiator=self.options.initiator, isid=self.options.isid, timeout=15 * SLOWNESS)
        self.settled = None  # the case checks the unit attentions itself

    def use(self, lun: int) -> HoldingSession:
        if self.session is None:
            self.login()
            self.settled = set()
        if self.settled is not None and lun not in self.settled:
            self._take_unit_attentions(lun)
        return self.session

    def settle(self):
        """Between cases: clears the unit attentions of a case before the next one."""
        if self.session is None:
            return
        for lun in self.settled or {self.options.lun}:
            self._take_unit_attentions(lun)

    def _take_unit_attentions(self, lun: int):
        if self.settled is None:
            self.settled = set()
        self.settled.add(lun)
        for _ in range(32):  # REQUEST SENSE works under any reservation and in any state
            task = self.session.execute(bytes([3, 0, 0, 0, 252, 0]), lun=lun, read_length=252)
            if task.status != GOOD or Sense(task.data).key != UNIT_ATTENTION:
                return

    def logout(self):
        if self.session is not None:
            self.session.logout()
        self.session = None

    def drop(self):
        if self.session is not None:
            self.session.close()
        self.session = None

    def transport_id(self) -> bytes:
        """SPC-5 s7.6.4.5: the initiator port, name and ISID."""
        name = f"{self.options.initiator},i,0x{self.options.isid.hex()}".encode() + b"\0"
        name += bytes(-len(name) % 4)
        return bytes([0x45, 0]) + len(name).to_bytes(2, "big") + name


class Target:
    """`lunar serve` with the configuration of a case file, in a scratch folder."""

    def __init__(self, configuration: Configuration):
        self.configuration = configuration
        self.daemon = None
        self.folder = None
        self.nexuses = {name: Nexus(options, self)
                        for name, options in configuration.nexuses.items()}

    def start(self):
        if self.folder is None:
            self.folder = Path(tempfile.mkdtemp(prefix="lunar-conformance."))
            self.configuration.prepare(self.folder)
        self.configuration.take_ports()
        path = self.folder / "lunar.toml"
        path.write_text(self.configuration.toml(self.folder))
        self.daemon = Daemon("--config", path, port=self.configuration.ports[1], listen=False)
        self.daemon.start()

    def restart(self, how: str):
        """`kill`: kill -9. The disks remain, the sessions end."""
        self._end(orderly=how == "orderly")
        self.start()

    def _end(self, orderly: bool):
        for nexus in self.nexuses.values():
            nexus.drop()
        if self.daemon is None:
            return
        daemon, self.daemon = self.daemon, None
        try:
            if orderly and daemon.running():
                daemon.stop()
            daemon.check_output()
        finally:
            daemon.kill()
            daemon.log.close()

    def stop(self):
        try:
            self._end(orderly=True)
        finally:
            if self.folder is not None:
                shutil.rmtree(self.folder)
            self.folder = None

    def start_afresh(self):
        """Replaces the target after a failed case."""
        self._end(orderly=False)
        if self.folder is not None:
            shutil.rmtree(self.folder)
        self.folder = None
        self.start()

    def address(self, portal: int):
        if portal not in self.configuration.ports:
            raise TextError(f"no portal {portal}")
        return ("127.0.0.1", self.configuration.ports[portal])

    def iqn(self, name: str) -> str:
        return qualified(name)


class OtherTarget(Target):
    """A running target whose disk may be overwritten: iscsi://HOST:PORT/NAME/LUN."""

    def __init__(self, configuration: Configuration, url: str):
        match = re.fullmatch(r"iscsi://([^/:]+)(?::(\d+))?/([^/]+)/(\d+)", url)
        if match is None:
            raise TextError(f"{url}: not iscsi://HOST[:PORT]/TARGET/LUN")
        self.where = (match[1], int(match[2] or 3260))
        self.name = match[3]
        for options in configuration.nexuses.values():
            options.lun = int(match[4])
        super().__init__(configuration)

    def start(self):
        pass

    def restart(self, how: str):
        raise TextError("a target that runs elsewhere is not restarted")

    def start_afresh(self):
        self._end(orderly=False)

    def address(self, portal: int):
        return self.where

    def iqn(self, name: str) -> str:
        return self.name

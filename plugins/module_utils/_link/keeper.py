# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keeps addresses on this host while the daemon that manages them begins anew.

Nothing of it outlives the process: it needs no clean-up after a killed run.
"""

from __future__ import annotations

import errno
import os
import select
import threading
from typing import Any, Collection

from ansible_collections.haproof.balancer.plugins.module_utils._link.kernel_addresses import (
    InterfaceAddress,
    add_address,
    open_changes,
    parse_changes,
    read_settings,
    remove_address,
)
from ansible_collections.haproof.balancer.plugins.module_utils._probe.run_file import hurry

_CHUNK = 65536


class Keeper:
    """Keeps those of the *addresses* that the host has: a thread adds each one again as soon as it is removed.

    ``problems`` are the kernel's reasons why one could not be added again. Raises OSError.
    """

    def __init__(self, addresses: Collection[str]) -> None:
        self.problems: list[str] = []
        self._changes = open_changes()
        self._settings = {each: what for each, what in read_settings().items() if each.address in addresses}
        self._added: set[InterfaceAddress] = set()
        self._ended, self._end = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def kept(self) -> set[str]:
        """The addresses that are kept."""
        return {each.address for each in self._settings}

    def stop(self, owned: Collection[str]) -> None:
        """Stop, and remove the addresses that were added again and are not *owned* by the daemon. Raises OSError."""
        os.write(self._end, b"e")
        self._thread.join()
        self._changes.close()
        for descriptor in (self._ended, self._end):
            os.close(descriptor)
        for each in self._added:
            if each.address not in owned:
                try:
                    remove_address(self._settings[each])
                except OSError as error:
                    # The daemon has removed it itself.
                    if error.errno != errno.EADDRNOTAVAIL:
                        raise

    def _run(self) -> None:
        # Of this thread, which must be faster than a client's next packet.
        hurry()
        sources: list[Any] = [self._changes, self._ended]
        while self._ended not in select.select(sources, [], [])[0]:
            for each in self._gone():
                try:
                    add_address(self._settings[each])
                    self._added.add(each)
                except OSError as error:
                    self.problems.append(f"{each.address}: {error.strerror}")

    def _gone(self) -> list[InterfaceAddress]:
        try:
            changes = parse_changes(self._changes.recv(_CHUNK))
        except BlockingIOError:
            return []
        except OSError:
            # Changes were lost.
            there = read_settings()
            return [each for each in self._settings if each not in there]
        return [change.address for change in changes if not change.present and change.address in self._settings]

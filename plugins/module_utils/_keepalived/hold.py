# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Hold virtual IPs on this host while keepalived begins its instances anew."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import Callable, Iterator, Sequence

from ansible_collections.haproof.balancer.plugins.module_utils._common.run import Runner
from ansible_collections.haproof.balancer.plugins.module_utils._daemon.service import ServiceError
from ansible_collections.haproof.balancer.plugins.module_utils._keepalived.process import (
    DEFAULT_PID_FILE,
    Keepalived,
    KeepalivedError,
    find_pid,
)
from ansible_collections.haproof.balancer.plugins.module_utils._link.keeper import Keeper

# keepalived logs each query.
POLL_S = 0.2
DUMP_S = 2.0


@contextmanager
def held(
    addresses: Sequence[str], run: Runner, timeout_s: float, warn: Callable[[str], None]
) -> Iterator[Callable[[], None]]:
    """Keep those of the *addresses* that this host has during the block.

    Yield what waits until keepalived is their master, and raises ServiceError if it is not in time. Addresses of which
    it is not the master at the end are removed. Raises OSError.
    """
    if not addresses:
        yield lambda: None
        return
    keeper = Keeper(addresses)

    def settle() -> None:
        deadline = time.monotonic() + timeout_s
        while not keeper.kept <= mastered(run):
            if time.monotonic() > deadline:
                missing = ", ".join(sorted(keeper.kept - mastered(run)))
                raise ServiceError(f"keepalived did not become the master of {missing} within {timeout_s:g} s")
            time.sleep(POLL_S)

    try:
        yield settle
    finally:
        keeper.stop(mastered(run))
        for problem in keeper.problems:
            warn(f"an address was away during the change: {problem}")


def mastered(run: Runner) -> set[str]:
    """Return the addresses of which the running keepalived is the master, none while it does not answer."""
    try:
        pid = find_pid(DEFAULT_PID_FILE)
        instances = Keepalived(run, pid, DUMP_S).instances() if pid else []
    except KeepalivedError:
        # It is beginning anew.
        return set()
    return {vip for each in instances if each["state"] == "master" for vip in each["virtual_addresses"]}

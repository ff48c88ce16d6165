# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of filters about the hosts that share virtual IPs."""

from __future__ import annotations


class ModuleDocFragment:
    """``extends_documentation_fragment: [haproof.balancer.cluster]``."""

    DOCUMENTATION = r"""
options:
  host:
    description: The host.
    type: str
    required: true
  hosts:
    description: All hosts that share the virtual IPs, in the order of their priority.
    type: list
    elements: str
    required: true
  facts:
    description: The network facts of each host.
    type: dict
    required: true
"""

# SPDX-FileCopyrightText: 2026 haproof.balancer contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Options of the filters that judge what was observed on a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    """``extends_documentation_fragment: [haproof.balancer.observations]``."""

    DOCUMENTATION = r"""
options:
  _input:
    description: The hosts of the cluster.
    type: list
    required: true
  hostvars:
    description:
      - Ansible's C(hostvars), with the results of M(haproof.balancer.vip_info), M(haproof.balancer.vrrp_probe) and
        M(haproof.balancer.daemon_info) in C(__audit_info), C(__audit_probe) and C(__audit_daemon).
    type: dict
    required: true
  services:
    description: Results of M(haproof.balancer.vip_check) in a loop over addresses.
    type: list
    required: true
  vips:
    description: Virtual IPs to expect in addition to those of the VRRP instances, with or without prefix.
    type: list
    required: true
"""

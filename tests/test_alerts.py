# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
"""The alert rules for Prometheus: accepted by its promtool, and each of them fires."""

import json
import re
import subprocess
from pathlib import Path

import prometheus
import pytest

TOP = Path(__file__).resolve().parent.parent
RULES = TOP / "dashboards" / "iommufd-alerts.yml"
PROMTOOL = Path(prometheus.program()).with_name("promtool")
ABOUT = 'ctx="1",instance="host"'
OWNER = 'policy="pinlimit",by="cgroup",owner="42",instance="host"'
# Series that make an alert fire after half an hour, by alert.
SERIES = {
    "IommufdMemlockNearLimit": {
        f"iommufd_context_locked_bytes{{{ABOUT}}}": "95x60",
        f"iommufd_context_limit_bytes{{{ABOUT}}}": "100x60",
    },
    "IommufdPinLimitNear": {
        f"iommufd_pinlimit_pinned_bytes{{{OWNER}}}": "95x60",
        f"iommufd_pinlimit_limit_bytes{{{OWNER}}}": "100x60",
        f'iommufd_pinlimit_owner_info{{{OWNER},cgroup="/vm"}}': "1x60",
    },
    "IommufdRequestsFail": {
        'iommufd_failures_total{reason="memlock",instance="host"}': "0+5x60",
    },
    "IommufdFaultsOutstanding": {f"iommufd_context_faults_waiting{{{ABOUT}}}": "2x60"},
    "IommufdMapsSlow": {
        'iommufd_request_seconds_bucket{op="map",le="0.524288",instance="host"}': "0x60",
        'iommufd_request_seconds_bucket{op="map",le="+Inf",instance="host"}': "0+60x60",
        'iommufd_request_seconds_bucket{op="map",le="1.048576",instance="host"}': "0+60x60",
    },
    "IommufdExporterLosesEvents": {
        'iommufd_exporter_lost_events_total{instance="host"}': "0+1x60",
    },
}


def promtool(*arguments: object) -> str:
    if not PROMTOOL.exists():
        pytest.skip("promtool is missing: scripts/setup --full fetches it")
    done = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_rules() -> None:
    assert f"{len(SERIES)} rules found" in promtool("check", "rules", RULES)
    assert set(re.findall(r"alert: (\w+)", RULES.read_text())) == SERIES.keys()


@pytest.mark.parametrize("alert", SERIES)
def test_fires(alert: str, tmp_path: Path) -> None:
    """With these series, and not without them."""
    info = f'iommufd_context_info{{{ABOUT},pid="7",comm="vmm"}}'
    series = {info: "1x60", **SERIES[alert]}
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": s, "values": v} for s, v in given.items()],
            "promql_expr_test": [
                {
                    "expr": f'count(ALERTS{{alertname="{alert}",alertstate="firing"}})',
                    "eval_time": "30m",
                    "exp_samples": [{"labels": "{}", "value": 1}] if fires else [],
                }
            ],
        }
        for fires, given in ((True, series), (False, {info: "1x60"}))
    ]
    # JSON is YAML.
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "tests": tests}))
    promtool("test", "rules", file)

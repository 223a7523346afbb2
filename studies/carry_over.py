#!/usr/bin/env python3
"""Run once, on the way from 0.1 to 0.2: gives the committed results the digests of today's config keys.

In 0.1 a digest was also of the names that a config imports, and the schedule's ends stood beside the epochs. A result
belongs to a run if the digest that 0.1 would have given the run is the file's; then the file gets today's, and nothing
else in it changes. A file that belongs to nothing is named and left alone.

    python studies/carry_over.py [--dry-run]
"""

from __future__ import annotations

import argparse
import hashlib
import json
from itertools import product
from pathlib import Path

from lstta_core.whole_files import write_text
from lstta_tasks.experiment.settings import settings_of
from lstta_tasks.study.definition import Run, Study, load_study
from lstta_tasks.study.run_config import WHERE, configured, digest

IMPORTED = {
    "AdamW": "torch.optim.adamw.AdamW",
    "CosineAnnealingLR": "mmengine.optim.scheduler.lr_scheduler.CosineAnnealingLR",
    "LinearLR": "mmengine.optim.scheduler.lr_scheduler.LinearLR",
    "read_base": "mmengine.config.config.read_base",
}
"""What every config of the studies imported in 0.1."""


def digest_of_0_1(study: Study, run: Run) -> str:
    settings = settings_of(configured(study, run), into_lists=False)
    sections = IMPORTED | {key: value for key, value in settings.items() if not WHERE.fullmatch(key)}
    return hashlib.sha256(json.dumps(sections, sort_keys=True).encode()).hexdigest()[:16]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dry-run", action="store_true", help="write nothing")
    args = parser.parse_args()
    for path in (Path(__file__).parent / f"{name}.py" for name in ("tiny", "probe", "pretrained")):
        study = load_study(path)
        files = set(study.results.rglob("*.json"))
        assert study.search is not None
        for task, method, seed, value in product(study.tasks, study.methods, study.seeds, study.search.values):
            run = Run(task, method, seed, value)
            file = study.results / f"{run.name}.json"
            if file not in files:
                continue
            files.remove(file)
            content = json.loads(file.read_text(encoding="utf-8"))
            now = digest(study, run)
            if content["digest"] not in (now, digest_of_0_1(study, run)):
                print(f"{file}: digest {content['digest']} is that of no run of {path.name}: left alone")
            elif content["digest"] != now and not args.dry_run:
                content["digest"] = now
                write_text(file, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        print(f"{path.name}: {len(files)} files belong to no run" if files else f"{path.name}: every file belongs to a run")


if __name__ == "__main__":
    main()

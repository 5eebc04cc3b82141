"""An engine that changes a part at random and keeps what is better."""

from dataclasses import replace

import torch

import artgen


class RandomSearch(artgen.Engine):
    """Random changes of single parts."""

    families = ("splat",)

    def start(self, problem):
        self.problem, self.best = problem, problem.drawing
        self.rng = torch.Generator().manual_seed(problem.seed)
        self.loss, _ = self.judge(self.best)

    def judge(self, drawing):
        problem = self.problem
        with torch.no_grad():
            image = artgen.draw(drawing, problem.primitive, backend=problem.backend)
            psnr = -10 * (image.clamp(0, 1) - problem.target).square().mean().log10()
            return float(problem.loss(image, problem.target, problem.weight)), float(psnr)

    def advance(self, steps):
        for _ in range(steps):
            tensors = {name: value.clone() for name, value in self.best.tensors.items()}
            count = self.problem.primitive.count_of(self.best)
            part = int(torch.randint(count, (), generator=self.rng))
            for value in tensors.values():
                noise = torch.randn(value[..., part].shape, generator=self.rng)
                value[..., part] += 0.2 * noise * value[..., part].abs().clamp_min(0.1)
            changed = replace(self.best, tensors=tensors)
            loss, _ = self.judge(changed)
            if loss < self.loss:
                self.best, self.loss = changed, loss
            self.step += 1

    def report(self):
        loss, psnr = self.judge(self.best)
        return artgen.engines.Report(self.step, loss, psnr, True)

    def drawing(self, best):
        return self.best

    def state_dict(self):
        return {"step": self.step, "rng": self.rng.get_state(), **self.best.tensors}

    def load_state_dict(self, state):
        tensors = {name: state[name] for name in self.best.tensors}
        self.step, self.best = state["step"], replace(self.best, tensors=tensors)
        self.rng.set_state(state["rng"])
        self.loss, _ = self.judge(self.best)


@artgen.hookimpl
def artgen_engines():
    return [artgen.Spec("random_search", "Random changes of single parts.", RandomSearch)]

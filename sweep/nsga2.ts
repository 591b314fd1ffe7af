/**
 * NSGA-II: Deb, Pratap, Agarwal and Meyarivan, "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE
 * Trans. Evolutionary Computation 6(2), 2002. Genes are numbers 0..1; simulated binary crossover and polynomial mutation
 * (Deb and Agrawal 1995) with the paper's parameters.
 */
import { Random } from "../compiler/random.ts";
import { dominates } from "./pareto.ts";

export interface Judged {
  /** Objectives, all to be small. */
  readonly costs: readonly number[];
  /** How far outside of what is allowed; 0: allowed. Less is better, whatever the costs (the paper's section VI). */
  readonly violation: number;
}

export interface SearchChoices {
  readonly genes: number;
  /** Even. */
  readonly population: number;
  readonly generations: number;
  readonly seed: number;
}

interface Individual extends Judged {
  readonly genes: readonly number[];
  rank: number;
  crowding: number;
}

/** The paper's: eta_c = eta_m = 20, crossover in 9 of 10 pairs, one gene in each child mutated on average. */
const CROSSOVER_INDEX = 20;
const MUTATION_INDEX = 20;
const CROSSOVER_PROBABILITY = 0.9;

/** @param judge costs of a whole generation, in order. @returns the last population, best front first */
export async function nsga2(
  { genes, population, generations, seed }: SearchChoices,
  judge: (generation: readonly (readonly number[])[]) => Promise<readonly Judged[]>,
): Promise<readonly { readonly genes: readonly number[]; readonly costs: readonly number[] }[]> {
  const random = new Random(seed);
  const judged = async (all: readonly (readonly number[])[]): Promise<Individual[]> => {
    const results = await judge(all);
    return all.map((own, i) => ({ genes: own, ...results[i], rank: 0, crowding: 0 }));
  };
  const first = Array.from({ length: population }, () => Array.from({ length: genes }, () => random.uniform()));
  let parents = select(await judged(first), population);
  for (let generation = 1; generation < generations; generation++) {
    const children: number[][] = [];
    while (children.length < population) {
      children.push(...offspring(tournament(parents, random).genes, tournament(parents, random).genes, random));
    }
    parents = select([...parents, ...(await judged(children.slice(0, population)))], population);
  }
  return parents;
}

function beats(a: Judged, b: Judged): boolean {
  if (a.violation !== b.violation) return a.violation < b.violation;
  return dominates(a.costs, b.costs);
}

/** The best `size` of them: whole fronts, and of the last one those with most room around them. */
function select(all: readonly Individual[], size: number): Individual[] {
  const chosen: Individual[] = [];
  for (const [rank, front] of fronts(all).entries()) {
    measureCrowding(front);
    for (const one of front) one.rank = rank;
    // a stable order whatever the sort: ties by position
    chosen.push(...[...front].sort((a, b) => b.crowding - a.crowding).slice(0, size - chosen.length));
    if (chosen.length === size) break;
  }
  return chosen;
}

/** Fast non-dominated sort (the paper's section III.A). */
function fronts(all: readonly Individual[]): Individual[][] {
  const beaten: number[][] = all.map(() => []);
  const beatenBy = all.map(() => 0);
  for (let i = 0; i < all.length; i++) {
    for (let j = i + 1; j < all.length; j++) {
      if (beats(all[i], all[j])) {
        beaten[i].push(j);
        beatenBy[j]++;
      } else if (beats(all[j], all[i])) {
        beaten[j].push(i);
        beatenBy[i]++;
      }
    }
  }
  const found: Individual[][] = [];
  let front = all.map((_, i) => i).filter((i) => beatenBy[i] === 0);
  while (front.length > 0) {
    found.push(front.map((i) => all[i]));
    const next: number[] = [];
    for (const i of front) for (const j of beaten[i]) if (--beatenBy[j] === 0) next.push(j);
    front = next.sort((a, b) => a - b);
  }
  return found;
}

/** Crowding distance (the paper's section III.B). */
function measureCrowding(front: readonly Individual[]): void {
  for (const one of front) one.crowding = 0;
  for (let objective = 0; objective < front[0].costs.length; objective++) {
    const sorted = [...front].sort((a, b) => a.costs[objective] - b.costs[objective]);
    const [first, last] = [sorted[0], sorted[sorted.length - 1]];
    first.crowding = last.crowding = Number.POSITIVE_INFINITY;
    const range = last.costs[objective] - first.costs[objective];
    if (!(range > 0)) continue;
    for (let i = 1; i < sorted.length - 1; i++) {
      sorted[i].crowding += (sorted[i + 1].costs[objective] - sorted[i - 1].costs[objective]) / range;
    }
  }
}

function tournament(all: readonly Individual[], random: Random): Individual {
  const [a, b] = [all[random.integer(0, all.length - 1)], all[random.integer(0, all.length - 1)]];
  return b.rank < a.rank || (b.rank === a.rank && b.crowding > a.crowding) ? b : a;
}

function offspring(a: readonly number[], b: readonly number[], random: Random): [number[], number[]] {
  const children: [number[], number[]] = [[...a], [...b]];
  if (random.uniform() < CROSSOVER_PROBABILITY) {
    for (let i = 0; i < a.length; i++) {
      if (random.uniform() < 0.5 && a[i] !== b[i]) [children[0][i], children[1][i]] = crossed(a[i], b[i], random);
    }
  }
  for (const child of children) {
    for (let i = 0; i < child.length; i++)
      if (random.uniform() < 1 / child.length) child[i] = mutated(child[i], random);
  }
  return children;
}

/** Simulated binary crossover of one gene within 0..1. */
function crossed(a: number, b: number, random: Random): [number, number] {
  const [low, high] = a < b ? [a, b] : [b, a];
  const u = random.uniform();
  const spread = (room: number) => {
    const alpha = 2 - (1 + (2 * room) / (high - low)) ** -(CROSSOVER_INDEX + 1);
    const power = 1 / (CROSSOVER_INDEX + 1);
    return u <= 1 / alpha ? (u * alpha) ** power : (1 / (2 - u * alpha)) ** power;
  };
  const down = clamped(0.5 * (low + high - spread(low) * (high - low)));
  const up = clamped(0.5 * (low + high + spread(1 - high) * (high - low)));
  return random.uniform() < 0.5 ? [down, up] : [up, down];
}

/** Polynomial mutation of one gene within 0..1. */
function mutated(gene: number, random: Random): number {
  const u = random.uniform();
  const power = 1 / (MUTATION_INDEX + 1);
  const step =
    u < 0.5
      ? (2 * u + (1 - 2 * u) * (1 - gene) ** (MUTATION_INDEX + 1)) ** power - 1
      : 1 - (2 * (1 - u) + (2 * u - 1) * gene ** (MUTATION_INDEX + 1)) ** power;
  return clamped(gene + step);
}

const clamped = (gene: number) => Math.min(1, Math.max(0, gene));

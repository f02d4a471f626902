import {
  BlobSource,
  type Manifest,
  makeManifest,
  openModelFiles,
  type WeightsLocation,
} from '../../src/model/index.ts';

/** Opens model files served beside the page, through the same readers that a user's picked files take. */
export async function openModel(
  folder: string,
  names: readonly string[],
): Promise<{ manifest: Manifest; weights: WeightsLocation }> {
  const files = await Promise.all(
    names.map(async (name) => {
      const response = await fetch(`${folder}/${name}`);
      if (!response.ok) throw new Error(`${folder}/${name}: HTTP status ${response.status}`);
      return new File([await response.blob()], name);
    }),
  );
  const opened = await openModelFiles(files.map((file) => new BlobSource(file)));
  const { manifest } = await makeManifest(opened);
  return {
    manifest,
    weights: {
      kind: 'files',
      files: opened.sources.map(({ name }) => files.find((file) => file.name === name)!),
    },
  };
}
